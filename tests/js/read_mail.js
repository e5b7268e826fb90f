// Reads mails with npm's mailparser: the paths of files as arguments, a JSON array on the standard output.
import { readFile } from "node:fs/promises";
import { simpleParser } from "mailparser";

const read = async (path) => {
  const mail = await simpleParser(await readFile(path));
  const people = (field) => (field ? field.value.map(({ name, address }) => ({ name, address })) : []);
  return {
    subject: mail.subject,
    from: people(mail.from),
    to: people(mail.to),
    replyTo: people(mail.replyTo),
    messageId: mail.messageId,
    date: mail.date?.toISOString(),
    text: mail.text,
    html: mail.html,
    list: mail.headers.get("list") ?? null,
    lines: Object.fromEntries(mail.headerLines.map(({ key, line }) => [key, line])),
  };
};

console.log(JSON.stringify(await Promise.all(process.argv.slice(2).map(read))));

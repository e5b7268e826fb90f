#!/usr/bin/env bash
# Kafka Connect's transformation InsertHeader does not insert the text that is configured: 1.0 becomes the number 1.
#
# Versions: org.apache.kafka:connect-transforms 4.1.1 with connect-api 4.1.1 from Maven Central, OpenJDK 17, Linux. Tried on
# 2026-11-30.
# Behaviour: value.literal is read as Connect reads a header of no known type. 1.0 becomes an 8-bit integer, which every header
# converter writes as 1; in quotes it is text, but the quotes stay part of it.
# Output seen:
#   1.0 -> INT8 -> 1
#   "1.0" -> STRING -> "1.0"
# Why it matters: rows of a warehouse become CloudEvents in Kafka's binary content mode by these transformations, and the header
# ce_specversion has to be 1.0 exactly. What works is InsertField, whose value is always text, and HeaderFrom, which moves it.
# Source of what is right: Apache Kafka 4.1, documentation of InsertHeader ("the literal value that is to be set as the header
# value on all records"); CloudEvents 1.0.2, specversion (the value must be 1.0).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > pom.xml <<'POM'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>connect-transforms</artifactId><version>4.1.1</version>
    </dependency>
  </dependencies>
</project>
POM
cat > Seen.java <<'JAVA'
import java.util.Map;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.StringConverter;
import org.apache.kafka.connect.transforms.InsertHeader;

public class Seen {
    public static void main(String[] literals) {
        for (String literal : literals) {
            var transformation = new InsertHeader<SourceRecord>();
            transformation.configure(Map.of("header", "ce_specversion", "value.literal", literal));
            var record = new SourceRecord(Map.of(), Map.of(), "topic", null, null);
            Header header = transformation.apply(record).headers().lastWithName("ce_specversion");
            byte[] written =
                new StringConverter().fromConnectHeader("topic", header.key(), header.schema(), header.value());
            System.out.println(literal + " -> " + header.schema().type() + " -> " + new String(written));
        }
    }
}
JAVA
mvn -q dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=jars > mvn.log 2>&1 || { cat mvn.log; exit 2; }
java -cp 'jars/*' Seen.java 1.0 '"1.0"' 2> /dev/null > seen
cat seen
cat > expected <<'SEEN'
1.0 -> INT8 -> 1
"1.0" -> STRING -> "1.0"
SEEN
cmp -s seen expected || { echo "This has changed."; exit 1; }

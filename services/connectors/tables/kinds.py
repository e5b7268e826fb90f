"""The tables that are read and written (accounts, contacts, contracts, CSMs), and the fields that columns hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from schemas.base import SchemaModel
from schemas.events import FACTS
from services.connectors.mapping.values import Kind, kinds_of

KindName = Literal["accounts", "contacts", "contracts", "csms"]
KINDS: Final[tuple[KindName, ...]] = get_args(KindName)


@dataclass(frozen=True, slots=True)
class TableKind:
    """`subject`: the column of the account's or the CSM's id. `key`: the field that names the row's own thing.

    `file_names`: words of a file's name that tell the kind. `words`: field -> headers that mean it, between bars.
    """

    name: KindName
    event_type: str
    subject: str
    key: str
    file_names: str
    words: Mapping[str, str]

    @property
    def model(self) -> type[SchemaModel]:
        return FACTS[self.event_type]

    @property
    def fields(self) -> Mapping[str, Kind]:
        """Column -> kind of its values, in the order of an export."""
        own = {name: kind for name, kind in kinds_of(self.model).items() if name != self.key}
        return {self.subject: Kind.TEXT, self.key: Kind.TEXT, **own}

    @property
    def required(self) -> frozenset[str]:
        return frozenset({self.subject, self.key})


_PERSON: Final = {
    "name": "full name|display name|vollständiger name|nombre|nombre completo|nome|nome completo|nama|"
    "nama lengkap",
    "email": "e mail|email address|e mail address|mail|e mail adresse|correo|correo electrónico|correio|"
    "surel|work email",
    "phone": "phone number|telephone|mobile|mobile phone|telefon|telefonnummer|teléfono|telefone|telepon|handy",
    "language": "lang|preferred language|hubspot language|sprache|idioma|bahasa",
    "timezone": "time zone|tz|zeitzone|zona horaria|fuso horário|zona waktu",
    "slack": "slack id|slack handle|slack user id",
}
_MONEY: Final = {
    "arr": "annual recurring revenue|annual revenue|annual contract value|acv|contract value|amount|arr value|"
    "jahresumsatz|jährlicher umsatz|vertragswert|betrag|ingresos anuales|importe|receita anual|valor|"
    "nilai kontrak|"
    "pendapatan tahunan",
    "currency": "currency code|currency iso code|deal currency code|währung|moneda|divisa|moeda|mata uang",
}
_ACCOUNT_ID: Final = (
    "account|account number|customer id|customer number|customer no|client id|company id|associated company id|"
    "kundennummer|kunden nr|kunden id|konto id|id de cuenta|id del cliente|id da conta|id do cliente|"
    "id akun|id pelanggan"
)
_CSM: Final = {
    "csm_id": "csm|csm owner|customer success manager|account owner|account owner id|owner id|company owner|"
    "hubspot owner id|betreuer|kundenbetreuer|gestor|gerente de cuenta|gerente de conta|pengelola akun",
}
_PLACE: Final = {
    "country": "country code|billing country|land|país|negara",
    "region": "state|province|bundesland|estado|provincia|provinsi",
}
_KINDS: Final = (
    TableKind(
        "accounts", "drumbeat.account.described.v1", "account_id", "account_id",
        "account accounts customer customers companies company kunden konten cuentas clientes contas akun pelanggan",
        {
            "account_id": f"id|record id|{_ACCOUNT_ID}", **_MONEY, **_CSM, **_PLACE,
            "name": "account name|company|company name|customer|customer name|client|client name|firma|"
            "firmenname|kunde|"
            "kundenname|nombre|nombre de la cuenta|empresa|cliente|nome|nome da conta|nama|nama akun|"
            "perusahaan|pelanggan",
            "industry": "branche|sector|industria|setor|industri",
            "timezone": _PERSON["timezone"], "language": _PERSON["language"],
            "complexity": "komplexität|complejidad|complexidade|kompleksitas",
            "sales_id": "sales owner|sales rep|sales rep id|account executive|vertrieb|vendedor|penjualan",
            "pool": "team|csm pool|equipo|equipe|tim",
            "paid_success": "premium support|paid customer success|success plan",
            "segment": "tier|customer segment|kundensegment|segmento|segmen",
            "parent_id": "parent account id|parent account|parent company id|parent|muttergesellschaft|"
            "cuenta principal|"
            "conta principal|akun induk",
        },
    ),
    TableKind(
        "contacts", "drumbeat.contact.described.v1", "account_id", "contact_id",
        "contact contacts people kontakte ansprechpartner contactos contatos kontak",
        {
            **_PERSON, "account_id": _ACCOUNT_ID,
            "contact_id": "id|record id|contact|person id|kontakt id|kontaktnummer|id de contacto|"
            "id do contato|id kontak",
            "role": "contact role|buying role|rolle|rol|papel|função|peran",
        },
    ),
    TableKind(
        "contracts", "drumbeat.contract.changed.v1", "account_id", "contract_id",
        "contract contracts subscription subscriptions verträge vertraege vertrag contratos kontrak",
        {
            "account_id": _ACCOUNT_ID, **_MONEY,
            "contract_id": "id|record id|contract|contract number|contract no|subscription id|"
            "vertragsnummer|vertrags nr|"
            "vertrags id|vertrag|número de contrato|id de contrato|id do contrato|nomor kontrak|id kontrak",
            "status": "contract status|vertragsstatus|estado|estado del contrato|situação|status kontrak",
            "starts_on": "start|start date|contract start|contract start date|starts|begin|vertragsbeginn|"
            "beginn|startdatum|"
            "inicio|fecha de inicio|início|data de início|tanggal mulai|mulai",
            "renews_on": "renewal|renewal date|renews|end|end date|ends on|contract end|contract end date|"
            "expiry|"
            "expiry date|expires on|expiration date|vertragsende|verlängerung|verlängerungsdatum|enddatum|"
            "ende|renovación|"
            "fecha de renovación|fecha de fin|renovação|data de renovação|data de término|"
            "tanggal perpanjangan|tanggal berakhir",
            "signed_at": "signed|signed on|signed date|signature date|date signed|closed won date|"
            "unterschrieben am|"
            "unterzeichnet am|fecha de firma|data de assinatura|tanggal tanda tangan",
            "auto_renew": "auto renewal|automatic renewal|renews automatically|automatische verlängerung|"
            "renovación automática|renovação automática|perpanjangan otomatis",
            "term_months": "term|contract term|term in months|contract term months|laufzeit|laufzeit monate|"
            "plazo|plazo meses|"
            "prazo|prazo meses|jangka waktu",
            "notice_days": "notice|notice period|notice period days|kündigungsfrist|kündigungsfrist tage|"
            "preaviso|"
            "aviso prévio|masa pemberitahuan",
        },
    ),
    TableKind(
        "csms", "drumbeat.csm.described.v1", "csm_id", "csm_id",
        "csm csms managers betreuer team gestores",
        {
            **_PERSON, **_PLACE,
            "csm_id": "id|record id|user id|owner id|csm|betreuer id|id de gestor|id do gestor",
            "weekly_minutes": "minutes per week|weekly capacity|capacity|wochenminuten|minutos por semana|"
            "minutos semanais|"
            "menit per minggu",
            "working_days": "work days|arbeitstage|días laborables|dias úteis|hari kerja",
            "working_hours": "hours|work hours|arbeitszeit|arbeitszeiten|horario|horário|jam kerja",
            "time_off": "absences|holiday|vacation|urlaub|abwesend|vacaciones|férias|cuti",
            "pool": "team|csm pool|equipo|equipe|tim", "role": "rolle|rol|papel|função|peran",
            "manager_id": "manager|reports to|vorgesetzter|gerente|atasan",
            "booking_url": "booking link|calendar link|scheduling link|buchungslink",
            "news_by": "news|notify by",
        },
    ),
)  # fmt: skip
TABLES: Final[Mapping[KindName, TableKind]] = {kind.name: kind for kind in _KINDS}

"""The account: its events, the facts they give, what was issued, and the stored state of both."""

from services.cadence.account.folding import apply_fact as apply_fact
from services.cadence.account.merging import merge_fields as merge_fields
from services.cadence.account.retention import ACCOUNT_FIELDS as ACCOUNT_FIELDS
from services.cadence.account.stamps import DAY as DAY
from services.cadence.account.stamps import Entries as Entries
from services.cadence.account.stamps import Fields as Fields
from services.cadence.account.stamps import Plain as Plain
from services.cadence.account.stamps import Provenance as Provenance
from services.cadence.account.stamps import Stamp as Stamp
from services.cadence.account.stamps import StampedFields as StampedFields
from services.cadence.account.stamps import day_of as day_of
from services.cadence.account.stamps import day_text as day_text
from services.cadence.account.stamps import earliest as earliest
from services.cadence.account.stamps import micros as micros
from services.cadence.account.stamps import moment as moment
from services.cadence.account.stamps import provenance_of as provenance_of
from services.cadence.account.stamps import stamp_of as stamp_of
from services.cadence.account.stamps import when as when
from services.cadence.account.stamps import who as who
from services.cadence.account.state import OWN_ACT as OWN_ACT
from services.cadence.account.state import Contract as Contract
from services.cadence.account.state import FactEvent as FactEvent
from services.cadence.account.state import Facts as Facts
from services.cadence.account.state import StampedValue as StampedValue

"""The policy: who is contacted how. `compile_policy` makes a `Policy` of its content; `load` reads it from files.

Files become `yaml_source.YamlFile`, `parse` validates them with the models of `schema`, `build` makes values of `model`.
"""

from services.cadence.policy.compiled import PLACEHOLDER as PLACEHOLDER
from services.cadence.policy.compiled import Policy as Policy
from services.cadence.policy.compiled import Timeline as Timeline
from services.cadence.policy.compiled import compile_policy as compile_policy
from services.cadence.policy.compiled import condition_of as condition_of
from services.cadence.policy.compiled import policy_hash as policy_hash
from services.cadence.policy.model import PERSONS as PERSONS
from services.cadence.policy.model import PRECEDENCES as PRECEDENCES
from services.cadence.policy.model import Adjustment as Adjustment
from services.cadence.policy.model import Anchor as Anchor
from services.cadence.policy.model import Blackout as Blackout
from services.cadence.policy.model import Cap as Cap
from services.cadence.policy.model import ContactBudget as ContactBudget
from services.cadence.policy.model import Damping as Damping
from services.cadence.policy.model import Feedback as Feedback
from services.cadence.policy.model import Limit as Limit
from services.cadence.policy.model import Location as Location
from services.cadence.policy.model import PolicyContent as PolicyContent
from services.cadence.policy.model import Rhythm as Rhythm
from services.cadence.policy.model import Rule as Rule
from services.cadence.policy.model import Step as Step
from services.cadence.policy.model import Touchpoint as Touchpoint
from services.cadence.policy.model import Trigger as Trigger

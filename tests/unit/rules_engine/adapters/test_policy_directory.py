"""The record of the policy in force has its whole catalogue (row 39)."""

from schemas.directory import PolicyRecord
from services.cadence.policy.load import SHIPPED, load_policy
from services.rules_engine.adapters.policy_directory import policy_record


def test_every_touchpoint_type_of_the_policy_is_in_its_record_with_the_quiet_hours() -> None:
    policy = load_policy(SHIPPED)

    record = PolicyRecord.read(policy_record(policy, 7).write())

    assert (record.policy, record.version) == (policy.hash, 7)
    assert record.quiet_hours == policy.content.quiet_hours
    assert [each.touchpoint_type for each in record.touchpoint_types] == sorted(policy.catalogue)
    for each in record.touchpoint_types:
        kind = policy.catalogue[each.touchpoint_type]
        assert (each.owner, each.channel, each.minutes, each.purpose) == (
            kind.owner,
            kind.channel,
            kind.minutes,
            kind.purpose,
        )
        assert (each.topic, each.audience) == (kind.topic, kind.audience)
        assert (each.agenda, each.expects) == (kind.agenda, kind.expects)
        assert each.invites == kind.invites
    review = next(each for each in record.touchpoint_types if each.touchpoint_type == "business_review")
    assert (review.invites, review.remind_hours) == (True, (48,))
    assert (review.approve, review.approve_hours, review.hand_off) == (False, None, None)
    assert any(each.agenda and each.expects for each in record.touchpoint_types)

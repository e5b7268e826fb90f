"""Policies for tests: one with every section, a small one, and a policy test of the small one."""

FULL = """\
health: {red_below: 40, yellow_below: 70}
segments:
  - segment: enterprise
    when: arr is not null and arr >= 100_000
  - segment: self_service
    when: true
stages:
  - stage: onboarding
    when: days_since_start is not null and days_since_start < 90
  - stage: growth
    when: true
touchpoints:
  check_in:
    purpose: Hear how it goes
    aim: solve_problem
    expects: Blockers have an owner
    agenda: [Since last time, Blockers]
    topic: account
    owner: csm
    channel: call
    minutes: 30
    audience: role in ["champion", "decision_maker"]
    never_skip: true
  survey:
    purpose: Show the value
    aim: share_insight
    expects: The value is known
    topic: education
    owner: automation
    channel: email
    minutes: 0
  plan:
    purpose: Find a way out of risk
    aim: solve_problem
    expects: A plan with owners
    agenda: Root cause
    topic: internal
    owner: csm
    channel: in_app
    minutes: 45
rhythms:
  - rule: enterprise-check-in
    touchpoint: check_in
    segment: enterprise
    every:
      onboarding: 7d
      growth: 14d
    within: 7d..90d
    any_contact: true
    urgency: soon
    because: Enterprises speak with us.
  - rule: red-check-in
    touchpoint: check_in
    every: 7d
    when: color is not null and color == "red"
    precedence: escalation
    owner: pooled_csm
    channel: meeting
    because: Health is {color}.
minimum:
  - rule: monthly-word
    touchpoint: survey
    every: 30d
    when: stage != "churned"
    because: Everybody hears from us once a month.
adjustments:
  - rule: complex-product
    touchpoints: check_in
    when: complexity is not null and complexity == "complex"
    denser: 2
    because: Complex products need more.
feedback:
  ladder: [7d, 14d, 30d, 90d]
  spacing: 45d
  lasts: 120d
  at_the_end: email
  rules:
    - rule: declined
      on: touchpoint.settled
      touchpoints: [check_in]
      when: outcome == "declined"
      rarer: 1
      because: The customer declined.
triggers:
  - rule: red-plan
    on: health.scored
    touchpoint: plan
    within: 48h
    after: 1h
    deadline: 24h
    cooldown: 30d
    cap: 2 per 365d
    stage: [growth, onboarding]
    when: color is not null and color == "red"
    unless: paid_success
    because: The score is {health_score}.
timelines:
  - anchor: renewal
    segment: enterprise
    when: not auto_renew
    steps:
      - rule: renewal-60
        at: -60d
        touchpoint: check_in
        because: It renews on {renews_on}.
      - rule: renewal-30
        at: -30d
        touchpoint: check_in
        within: 5d
        unless: contract_signed
        because: It renews on {renews_on}.
sequences:
  - sequence: first-days
    steps:
      - rule: welcome
        day: [1, 2, 5]
        touchpoint: survey
        because: Started on {started_on}.
      - rule: first-call
        day: 3
        touchpoint: check_in
        because: The third day is for a call.
limits:
  - limit: talk
    at_most: 3 per 30d
    touchpoints: [check_in, survey]
    because: Not too much.
blackouts:
  - blackout: turn-of-the-year
    from: 12-20
    to: 01-06
    segment: enterprise
    because: Nobody is there.
"""
SMALL = """
health: {red_below: 40, yellow_below: 70}
segments:
  - {segment: enterprise, when: arr is not null and arr >= 1_000}
  - {segment: self_service, when: "true"}
stages:
  - {stage: onboarding, when: days_since_start is not null and days_since_start < 90}
  - {stage: growth, when: "true"}
touchpoints:
  check_in:
    purpose: Hear how it goes
    aim: solve_problem
    agenda: [How it goes]
    expects: Nothing is in the way
    topic: account
    owner: csm
    channel: call
    minutes: 20
  advocacy_ask:
    purpose: Ask for a word in our favour
    aim: open_opportunity
    agenda: [Would they say so in public]
    expects: A yes or a no
    topic: account
    owner: csm
    channel: email
    minutes: 10
rhythms:
  - rule: monthly
    touchpoint: check_in
    every: 30d
    within: 7d..60d
    because: Once a month.
  - rule: red-weekly
    touchpoint: check_in
    every: 7d
    precedence: escalation
    when: color is not null and color == "red"
    because: Health is red.
adjustments:
  - rule: complex
    touchpoints: check_in
    when: complexity is not null and complexity == "complex"
    denser: 1
    because: The product is complex.
triggers:
  - rule: promoter
    on: nps.answered
    touchpoint: advocacy_ask
    within: 48h
    cooldown: 90d
    when: nps_score >= 9
    because: They said {nps_score}.
blackouts:
  - blackout: summer
    from: 07-01
    to: 08-31
    when: industry is not null and industry == "school"
    because: Schools are closed.
"""
CASE = """
now: 2026-03-02T09:00:00Z
tests:
  - test: Everything that can be expected
    shows: [S1, X20]
    account: {arr: 5_000, complexity: complex, industry: school, starts: -10d, renews: 355d}
    contacts: [{contact_id: ann, role: champion, at: -3d}]
    facts:
      - nps.answered: {score: 10}
        at: -1h
    expect:
      segment: enterprise
      stage: onboarding
      color: none
      rhythms: {check_in: {every: 14d, owner: csm, channel: call, rule: monthly, never_skip: false}}
      touchpoints:
        advocacy_ask: {rule: promoter, from: -1h, to: 47h, deadline: 47h, count: 1}
      avoid: [summer]
      text: {check_in: complex}
    then:
      - at: 10d
        facts:
          - touchpoint.due: {touchpoint_type: advocacy_ask}
            at: 1d
          - nps.answered: {score: 9}
            at: 10d
          - health.scored: {score: 10}
        expect:
          color: red
          rhythms: {check_in: 7d}
          touchpoints: {advocacy_ask: absent}
          stopped: {promoter: cooldown}
"""

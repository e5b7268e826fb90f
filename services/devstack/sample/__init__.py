"""The sample book: twelve believable accounts, so that a newcomer sees touchpoints come due within seconds."""

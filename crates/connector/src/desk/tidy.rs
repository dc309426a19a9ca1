//! What has served its time goes: journeys, sessions' identities, confirmations.

## The start page

home-title = Start
home-name = You are
home-waits = Needs attention
home-nothing-waits = Nothing waits for you.
home-well = In order
home-not-known = The gateway could not say how it stands.
home-gateway = The gateway
check-well = Well
check-late = Late
check-stops = Does not work
check-database = Database
check-keys = Keys
check-following = Changes to who may use the gateway
check-clock = Clock
check-outbox = Events to relying parties
check-retention = Removal of personal data
check-status-lists = Status lists
check-audit = Audit
check-stopping = Stopping

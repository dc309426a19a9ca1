## The start page

home-title = Start
home-name = You are
home-waits = Needs attention
home-nothing-waits = Nothing waits for you.
home-well = In order
home-not-known = The gateway could not say how it stands.

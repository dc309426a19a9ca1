// The sandbox's own wallet, through its API for programs.

/** Lets a holder scan a link. */
export async function scan(world, holder, link, consent = true) {
  const response = await world.fetch(`${world.urls.wallet}/api/holders/${holder}/scan`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ link, consent }),
  });
  if (!response.ok) throw new Error(`the test wallet answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** What a holder holds. */
export async function credentials(world, holder) {
  const response = await world.fetch(`${world.urls.wallet}/api/holders/${holder}/credentials`);
  if (!response.ok) throw new Error(`the test wallet answered ${response.status}`);
  return response.json();
}

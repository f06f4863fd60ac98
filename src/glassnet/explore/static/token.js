/** The token, out of the address (which is seen, and copied) into this tab's memory (which a reload keeps). */
export function takeToken() {
  const given = new URLSearchParams(location.search).get("token");
  if (given === null) return sessionStorage.getItem("token") ?? "";
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname + location.hash);
  return given;
}

// Moments as “5 minutes ago”; the exact one is in the title.
const UNITS = [["year", 31536e6], ["month", 2592e6], ["day", 864e5], ["hour", 36e5], ["minute", 6e4]];
const REFRESH_MS = 30_000;
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });

function said(moment) {
  const passed = moment - Date.now();
  const [unit, size] = UNITS.find(([, each]) => Math.abs(passed) >= each) ?? ["second", 1000];
  return relative.format(Math.round(passed / size), unit);
}

function refresh() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    time.textContent = said(Date.parse(time.dateTime));
  }
}

setInterval(refresh, REFRESH_MS);
refresh();

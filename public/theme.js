// Sets the chosen theme before the first paint; without a choice the system's holds. A file and not
// an inline script, because the policy of the pages allows no inline scripts but the listed ones.
(function () {
  try {
    var theme = localStorage.getItem("ductus-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (error) {
    // Storage is switched off: the system's theme holds.
  }
})();

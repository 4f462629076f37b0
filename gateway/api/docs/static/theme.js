"use strict";
// Before anything is drawn, so that a page in the dark does not flash.
{
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}

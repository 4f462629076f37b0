// The page of one eSIM: it answers for a phone of the list, and has itself kept for when there is no internet.
"use strict";
(() => {
  const phone = document.getElementById("phone");
  if (phone) {
    document.getElementById("check").hidden = false;
    phone.addEventListener("change", () => {
      for (const line of document.querySelectorAll("[data-verdict]")) line.hidden = line.dataset.verdict !== phone.value;
    });
  }
  const saved = document.getElementById("saved");
  if (!saved || !("serviceWorker" in navigator)) return;
  const page = location.pathname;
  const keep = async () => {
    const registration = await navigator.serviceWorker.register(`${page}/worker.js`, { scope: page });
    if (!navigator.serviceWorker.controller) {
      const cache = await caches.open(`esim ${page}`);
      await cache.add(location.href);
    }
    return registration;
  };
  keep().then(() => { saved.hidden = false; }, () => {});
})();

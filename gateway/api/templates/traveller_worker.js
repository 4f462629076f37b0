// Opens one eSIM's page without internet. It keeps that page alone, and forgets it when the page is gone.
"use strict";
const PAGE = new URL(registration.scope).pathname;
const CACHE = `esim ${PAGE}`;
const SECONDS = 8;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(clients.claim()));
self.addEventListener("fetch", (event) => {
  const asked = event.request;
  if (asked.method !== "GET" || new URL(asked.url).pathname !== PAGE) return;
  event.respondWith(answer(asked));
});

async function answer(asked) {
  const cache = await caches.open(CACHE);
  try {
    const found = await fetch(asked, { signal: AbortSignal.timeout(SECONDS * 1000) });
    if (found.ok) {
      await cache.put(asked, found.clone());
    } else if (found.status === 404 || found.status === 410) {
      await caches.delete(CACHE);
      await registration.unregister();
    } else {
      return (await kept(cache, asked)) || found;
    }
    return found;
  } catch {
    return (await kept(cache, asked)) || Response.error();
  }
}

// In the language asked for; another one is better than none.
async function kept(cache, asked) {
  return (await cache.match(asked, { ignoreVary: true })) || cache.match(asked, { ignoreVary: true, ignoreSearch: true });
}

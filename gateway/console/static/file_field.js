// A file that a form sends as text: it is read here, because forms are sent URL-encoded.
"use strict";
(() => {
  for (const picker of document.querySelectorAll("input[type=file][data-into]")) {
    const target = picker.form.elements[picker.dataset.into];
    picker.addEventListener("change", async () => {
      const file = picker.files[0];
      picker.setCustomValidity(file && file.size > Number(picker.dataset.most) ? "This file is too large." : "");
      if (!file || !picker.reportValidity()) {
        target.value = "";
        return;
      }
      const bytes = new Uint8Array(await file.arrayBuffer());
      target.value = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    });
  }
})();

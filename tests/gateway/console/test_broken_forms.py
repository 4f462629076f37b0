"""Bodies that are no form: each is refused with a page that says why, before anything is done."""

FORM = "application/x-www-form-urlencoded"
BROKEN = {
    "multipart without a boundary": (b"--x\r\n\r\nv\r\n", "multipart/form-data"),
    "multipart that is cut off": (b"--x\r\nContent-Disposition: form-data; na", "multipart/form-data; boundary=x"),
    "multipart of garbage": (b"\x00\xff\xfe", "multipart/form-data; boundary=x"),
    "whole multipart": (
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nv\r\n--x--\r\n',
        "multipart/form-data; boundary=x",
    ),
    "an unknown charset": (b"name=a&password=b", f"{FORM}; charset=nonsense"),
    "UTF-16 that is cut off": (b"\xff\xfen\x00a", f"{FORM}; charset=utf-16"),
    "bytes that are not UTF-8": (b"name=\xff\xfe&password=b", FORM),
    "escaped bytes that are not UTF-8": (b"name=%ff%fe&password=b", FORM),
    "too many fields": (b"a=1&" * 10_001, FORM),
    "JSON": (b'{"name": "viewer"}', "application/json"),
}


async def test_a_body_that_is_no_form_is_refused_with_a_page(console):
    for what, (body, content_type) in BROKEN.items():
        for person, path in ((console.nobody, "/console/login"), (console.viewer, "/console/theme")):
            async with person.http.post(
                console.url + path, data=body, headers={"Content-Type": content_type}, allow_redirects=False
            ) as answer:
                text = await answer.text()
            assert (answer.status, answer.content_type) == (400, "text/html"), (what, path)
            assert "Send " in text or "not valid UTF-8" in text, what


async def test_a_form_that_says_that_it_is_utf_8_is_read(console):
    async with console.nobody.http.post(
        f"{console.url}/console/login",
        data=b"name=J%C3%B6rg&password=x",
        headers={"Content-Type": f"{FORM}; charset=UTF-8"},
    ) as answer:
        assert answer.status == 422
        assert "J\u00f6rg" in await answer.text()

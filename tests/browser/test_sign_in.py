"""Signing in as a browser sees it: the cookie's flags, a new session for every sign-in, forms of others refused."""

from playwright.sync_api import Page, expect

from reviewer_ui.access import COOKIE
from tests.browser.desk import Desk
from tests.browser.visits import Visits
from tests.reviewer_ui.running_desk import PASSWORD


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """What somebody does on the form, by keys alone; the name has the focus."""
    expect(page.get_by_label("Tên tài khoản")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(desk: Desk, visits: Visits) -> None:
    page = visits.anybody()
    page.goto(desk.url("/sign-in"))
    assert page.context.cookies() == []
    sign_in(page, "steward")
    page.wait_for_url(desk.url("/queue"))
    [cookie] = page.context.cookies()
    assert cookie["name"] == COOKIE == "__Host-desk"
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "127.0.0.1")
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("Object.keys({...localStorage, ...sessionStorage})") == []


def test_a_session_planted_in_a_browser_is_not_the_one_that_is_signed_in(desk: Desk, visits: Visits) -> None:
    theirs, victim = visits.of("steward2", path="/queue"), visits.anybody()
    planted = theirs.context.cookies()[0]["value"]
    victim.goto(desk.url("/sign-in"))
    for secret in (planted, "A" * 43):
        visits.carry(victim.context, secret)
        sign_in(victim, "steward")
        victim.wait_for_url(desk.url("/queue"))
        expect(victim.get_by_role("banner")).to_contain_text("steward (")
        [cookie] = victim.context.cookies()
        assert cookie["value"] not in (planted, secret)
        victim.get_by_role("button", name="Đăng xuất").click()
        victim.wait_for_url(desk.url("/sign-in"))
    # what was planted has ended with the sign-in in its place: it opens nobody's session
    theirs.goto(desk.url("/queue"))
    expect(theirs.get_by_label("Mật khẩu")).to_be_visible()


def test_signing_out_ends_the_session_for_every_page_of_the_browser(desk: Desk, visits: Visits) -> None:
    one = visits.of("steward", path="/queue")
    other = visits.page(one.context)
    other.goto(desk.url("/queue"))
    secret = one.context.cookies()[0]["value"]
    one.get_by_role("button", name="Đăng xuất").click()
    one.wait_for_url(desk.url("/sign-in"))
    assert COOKIE not in {cookie["name"] for cookie in one.context.cookies()}
    one.go_back()
    expect(one.get_by_label("Mật khẩu")).to_be_visible()
    visits.carry(other.context, secret)
    other.reload()
    expect(other).to_have_url(desk.url("/sign-in?ended=1&next=%2Fqueue"))


def test_forms_of_another_site_change_nothing(desk: Desk, visits: Visits) -> None:
    visits.other_addresses.append("http://elsewhere.test")
    page = visits.of("steward", path="/queue")
    form = f'<form method=post action="{desk.url("/sign-out")}"><button>Win a prize</button></form>'
    page.context.route("http://elsewhere.test/**", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto("http://elsewhere.test/")
    with page.expect_response(desk.url("/sign-out")) as sent:
        page.get_by_role("button").click()
    # a browser keeps the cookie from such a form, so nobody is signed in; were it sent, the form has no token
    assert sent.value.status in (303, 403)
    page.goto(desk.url("/queue"))
    expect(page.get_by_role("button", name="Đăng xuất")).to_be_visible()


def test_a_request_of_the_own_page_without_the_token_of_the_session_changes_nothing(visits: Visits) -> None:
    page, other = visits.of("steward", path="/queue"), visits.of("steward2", path="/queue")
    foreign = other.locator("input[name=csrf]").first.input_value()
    post = """(csrf) => fetch("/sign-out", {method: "POST", body: new URLSearchParams({csrf})}).then((r) => r.status)"""
    for token in ("", "0", foreign):
        assert page.evaluate(post, token) == 403
    page.reload()
    expect(page.get_by_role("button", name="Đăng xuất")).to_be_visible()
    assert page.evaluate(post, page.locator("input[name=csrf]").first.input_value()) == 200


def test_a_wrong_password_says_so_and_keeps_the_name(desk: Desk, visits: Visits) -> None:
    page = visits.anybody()
    page.goto(desk.url("/sign-in"))
    sign_in(page, "steward", "not the password")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Tên tài khoản")).to_have_value("steward")
    expect(page.get_by_label("Mật khẩu")).to_be_focused()
    assert "steward" not in page.url

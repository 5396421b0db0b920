// The way in: an account, its address, its password, and invitations.

import { action, el, field, form, section, text } from "../dom.js";

const EMAIL = { type: "email", autocomplete: "username" };
const PASSWORD = { type: "password", autocomplete: "current-password" };
const NEW_PASSWORD = { type: "password", autocomplete: "new-password", minlength: 8 };

// A token from a mail is taken out of the address, so that it stays in no history and is sent to nobody.
function takeToken({ query }) {
  history.replaceState(null, "", location.pathname);
  return query.get("token") || "";
}

export function login({ api, go, show, query }) {
  const enter = async ({ email, password }) => {
    const customer_sid = query.get("customer") || undefined;
    await api.logIn({ email, password, customer_sid });
    await (location.pathname === "/login" ? go("/licenses") : show());
  };
  return el(
    "div",
    {},
    form([field("E-mail", "email", EMAIL), field("Password", "password", PASSWORD)], "Log in", enter),
    el("p", {}, el("a", { href: "/forgot" }, "Forgotten password"), " · ", el("a", { href: "/signup" }, "Sign up")),
  );
}

export function signUp({ api, say }) {
  const register = async ({ name, email, password }) => {
    await api.post("/v1/auth/register", { body: { name, email, password } });
    say("Look into your mailbox: a mail with a link comes to verify the address.");
  };
  const resend = async ({ email }) => {
    await api.post("/v1/auth/verify-email/resend", { body: { email } });
    say("If the address waits to be verified, another mail is on its way.");
  };
  const name = field("Name", "name", { autocomplete: "name" });
  return el(
    "div",
    {},
    form([name, field("E-mail", "email", EMAIL), field("Password", "password", NEW_PASSWORD)], "Sign up", register),
    section("No mail came?", form([field("E-mail", "email", EMAIL)], "Send it again", resend)),
  );
}

export function verifyEmail(context) {
  const token = takeToken(context);
  const verify = async () => {
    await context.api.post("/v1/auth/verify-email", { body: { token } });
    await context.go("/login", "The address is verified.");
  };
  // A button, because programs that look into mails follow links.
  return section("Is this you?", text("Verify that the address is yours."), action("Verify the address", verify));
}

export function forgot({ api, say }) {
  const ask = async ({ email }) => {
    await api.post("/v1/auth/password/forgot", { body: { email } });
    say("If the address has an account, a mail with a link is on its way.");
  };
  return form([field("E-mail", "email", EMAIL)], "Send a link", ask);
}

export function resetPassword(context) {
  const token = takeToken(context);
  const choose = async ({ password }) => {
    await context.api.post("/v1/auth/password/reset", { body: { token, password } });
    await context.go("/login", "The password is changed.");
  };
  return form([field("New password", "password", NEW_PASSWORD)], "Choose it", choose);
}

export function acceptInvitation(context) {
  const token = takeToken(context);
  const accept = async () => {
    const { customer_sid: sid } = await context.api.post("/v1/invitations/accept", { body: { token } });
    await context.go(`/login?customer=${encodeURIComponent(sid)}`, "Accepted. Log in once more to act for this customer.");
  };
  return section("You are invited", action("Accept the invitation", accept));
}

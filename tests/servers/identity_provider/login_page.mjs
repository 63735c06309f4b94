// SPDX-License-Identifier: MPL-2.0
/**
 * The sign-in page: name and password, with the field names of Entra's own, and a button to refuse.
 */
export const LOGIN_PATH = "/login/";

/** @param {string} text */
const escape = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** @param {{ action: string, name: string, problem?: string }} page */
const loginPage = ({ action, name, problem }) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in to your account</title></head><body>
<h1>Sign in</h1>
<form method="post" action="${escape(action)}" id="f1">
<p id="passwordError" role="alert">${problem ? escape(problem) : ""}</p>
<p><label>Account <input type="email" name="loginfmt" id="i0116" value="${escape(name)}" autocomplete="off"></label></p>
<p><label>Password <input type="password" name="passwd" id="i0118" autocomplete="off"></label></p>
<p><button type="submit" id="idSIButton9" name="answer" value="next">Sign in</button>
<button type="submit" id="idBtn_Back" name="answer" value="cancel" formnovalidate>Cancel</button></p>
</form></body></html>
`;

/**
 * Koa middleware for the page; everything else goes on.
 * @param {{ provider: any, directory: import('./directory.mjs').Directory }} parts
 */
export function loginRoutes({ provider, directory }) {
  /** @param {any} ctx @param {URLSearchParams} form */
  const judge = (ctx, form) => {
    if (form.get("answer") === "cancel") {
      return { result: { error: "access_denied", error_description: "AADSTS65004: User declined to consent to access the app." } };
    }
    const user = directory.find(form.get("loginfmt")?.trim());
    if (!user || user.password !== form.get("passwd")) return { problem: "Your account or password is incorrect." };
    if (user.disabled) return { problem: "AADSTS50057: The user account is disabled." };
    return { result: { login: { accountId: user.oid, amr: ["pwd"] }, consent: {}, select_account: {} } };
  };

  return async (/** @type {any} */ ctx, /** @type {() => Promise<void>} */ next) => {
    if (!ctx.path.startsWith(LOGIN_PATH)) {
      await next();
      return;
    }
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    const form = new URLSearchParams(ctx.method === "POST" ? ctx.req.formText : "");
    const { result, problem } = ctx.method === "POST" ? judge(ctx, form) : { result: undefined, problem: undefined };
    ctx.set("cache-control", "no-store");
    if (result) {
      ctx.status = 303;
      ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
      return;
    }
    ctx.type = "html";
    ctx.body = loginPage({ action: ctx.path, name: form.get("loginfmt") ?? params.login_hint ?? "", problem });
  };
}

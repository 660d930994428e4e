// The page before somebody has signed in: register or sign in.
import { api } from "./api.js";
import { $ } from "./dom.js";

/** Shows the form and resolves to the user once it was accepted. */
export function signIn() {
  // Who has been here before most likely has an account.
  let registering = localStorage.getItem("chat.known") === null;
  const form = $("account-form");

  const show = () => {
    $("account-title").textContent = registering ? "Create your account" : "Welcome back";
    $("account-lead").textContent = registering ? "It takes a moment, and then you can chat." : "Sign in to go on chatting.";
    $("account-submit").textContent = registering ? "Create account" : "Sign in";
    $("account-switch").textContent = registering ? "I already have an account" : "Create an account";
    $("display-field").hidden = !registering;
    $("password-hint").hidden = !registering;
    $("password").autocomplete = registering ? "new-password" : "current-password";
    $("account-error").textContent = "";
  };

  $("account").hidden = false;
  show();
  $("name").focus();

  return new Promise((resolve) => {
    $("account-switch").onclick = () => {
      registering = !registering;
      show();
      $("name").focus();
    };
    form.onsubmit = async (event) => {
      event.preventDefault();
      const { name, display, password } = form.elements;
      $("account-error").textContent = "";
      $("account-submit").disabled = true;
      try {
        const user = registering
          ? await api.register(name.value, display.value, password.value)
          : await api.login(name.value, password.value);
        localStorage.setItem("chat.known", "1");
        form.reset();
        $("account").hidden = true;
        resolve(user);
      } catch (error) {
        $("account-error").textContent = error.message;
        (error.status === 409 ? name : password).focus();
      } finally {
        $("account-submit").disabled = false;
      }
    };
  });
}

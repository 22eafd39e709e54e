"""One's own account: name and API tokens; the look, the language and the keys are `annotate`'s settings."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Token
from accounts.rights import signed_in
from dashboard.actions import rename_user, revoke_token
from dashboard.forms import AccountForm, TokenForm

NEW_TOKEN = "new_token"  # the session's key: a secret is shown once and kept nowhere else


def account(request: HttpRequest) -> HttpResponse:
    """The name, and the API tokens."""
    user = signed_in(request.user)
    form = AccountForm(request.POST or None, initial={"name": user.name})
    if form.is_valid():
        rename_user(user, form.cleaned_data["name"])
        messages.success(request, _("Saved."))
        return redirect("dashboard:account")
    context = {
        "form": form,
        "token_form": TokenForm(),
        "tokens": user.tokens.order_by("-created"),
        "secret": request.session.pop(NEW_TOKEN, ""),
    }
    return render(request, "dashboard/account.html", context)


@require_POST
def new_token(request: HttpRequest) -> HttpResponse:
    """A further token; the account page shows its secret once."""
    user = signed_in(request.user)
    form = TokenForm(request.POST)
    if form.is_valid():
        request.session[NEW_TOKEN] = Token.issue(user, name=form.cleaned_data["name"])[1]
    return redirect("dashboard:account")


@require_POST
def drop_token(request: HttpRequest, pk: int) -> HttpResponse:
    revoke_token(signed_in(request.user), pk)
    messages.success(request, _("The token is revoked."))
    return redirect("dashboard:account")

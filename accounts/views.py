"""The sign-in page. Everything else around passwords is Django's own view with our templates."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from web.limits import count, refuse_beyond

FAILURES, WINDOW_MINUTES = 10, 5  # of one address; a person who mistypes never meets this


class SignInForm(AuthenticationForm):
    """An address and a password; what is wrong is not said, so that nobody learns who has an account."""

    username = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"}),
    )
    error_messages = {  # noqa: RUF012
        "invalid_login": _("This address and password do not belong together."),
        "inactive": _("This account is closed."),
    }


class SignIn(LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Raises `TooMany` after too many failures for one address, so that nobody guesses passwords all night."""
        address = request.POST.get("username", "")
        refuse_beyond("sign-in", address, most=FAILURES, minutes=WINDOW_MINUTES)
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        count("sign-in", self.request.POST.get("username", ""), seconds=60 * WINDOW_MINUTES)
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(demo_accounts=settings.DEMO, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Signs in; the person's language comes with them."""
        response = super().form_valid(form)
        if language := form.get_user().language:
            response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, samesite="Lax")
        return response


sign_in = SignIn.as_view()

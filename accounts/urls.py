"""Signing in and out, and passwords."""

from django.contrib.auth import views
from django.urls import path, reverse_lazy
from django.views.generic import TemplateView

from accounts.views import sign_in

app_name = "accounts"

change = views.PasswordChangeView.as_view(
    template_name="accounts/password_change.html", success_url=reverse_lazy("accounts:password_changed")
)
changed = views.PasswordChangeDoneView.as_view(template_name="accounts/password_change_done.html")
reset = views.PasswordResetView.as_view(
    template_name="accounts/password_reset.html",
    email_template_name="accounts/password_reset_email.txt",
    subject_template_name="accounts/password_reset_subject.txt",
    success_url=reverse_lazy("accounts:password_reset_sent"),
)
sent = views.PasswordResetDoneView.as_view(template_name="accounts/password_reset_sent.html")
confirm = views.PasswordResetConfirmView.as_view(
    template_name="accounts/password_reset_confirm.html",
    success_url=reverse_lazy("accounts:password_reset_complete"),
)
complete = views.PasswordResetCompleteView.as_view(template_name="accounts/password_reset_done.html")

urlpatterns = [
    path("sign-in/", sign_in, name="sign_in"),
    path(
        "sign-out/", views.LogoutView.as_view(next_page=reverse_lazy("accounts:signed_out")), name="sign_out"
    ),
    path("signed-out/", TemplateView.as_view(template_name="accounts/signed_out.html"), name="signed_out"),
    path("password/", change, name="password_change"),
    path("password/changed/", changed, name="password_changed"),
    path("reset/", reset, name="password_reset"),
    path("reset/sent/", sent, name="password_reset_sent"),
    path("reset/<uidb64>/<token>/", confirm, name="password_reset_confirm"),
    path("reset/complete/", complete, name="password_reset_complete"),
]

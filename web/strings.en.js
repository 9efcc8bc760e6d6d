/* strings.en.js: every word that the pages say, in English.  To translate: change the values, keep the {names} in
 * braces, and set `language`.  The sentence for browsers without scripts is the one exception: it is in the HTML. */

export const language = "en";

export const strings = {
	"shop.unknown": "the shop",

	/* enrollment, from the link to the first view */
	"enroll.title": "Set up two-step sign-in",
	"opening.title": "Opening your link",
	"opening.text": "One moment, please.",

	"intro.step": "Step 1 of 3",
	"intro.title": "Protect your account with a second step",
	"intro.account": "Account: {login}",
	"intro.text": "From now on, signing in takes your password and a six-digit code from an app on your phone. " +
		"Whoever learns your password alone cannot get in.",
	"further.title": "Add another app",
	"further.text": "Codes from the new app will work beside those from the one that you have.",
	"intro.need": "What you need",
	"intro.need.app": "An authenticator app on your phone: any that shows six-digit codes will do.",
	"intro.need.time": "About two minutes. This page works until {time}.",
	"intro.need.place": "A safe place for your recovery codes, such as a password manager or a printer.",
	"intro.once": "The next page shows a secret, and shows it only once. Go on when nobody looks over your shoulder.",
	"intro.begin": "Show my code",
	"intro.beginning": "Making your code…",

	"proof.title": "Your account has an app already",
	"proof.text": "Before you add another one, show that the one you have is yours.",
	"proof.code": "Code from the app that you have",
	"proof.hint": "Six digits, or one of your recovery codes.",
	"proof.form": "Type the six digits that your app shows, or a whole recovery code.",
	"proof.throttled.long": "Too many tries. You can try again in {minutes} minutes.",
	"proof.wrong": "That code is not right, or was used before. Wait for the next one in your app and type that.",

	"privacy.title": "Privacy",
	"privacy.what": "We keep the key that your app shares with us, and the time, network address and browser of this visit.",
	"privacy.how": "The key is stored encrypted; recovery codes are stored in a form that cannot be read back.",
	"privacy.who": "This page sends nothing to anybody else. {shop} tells you how to see or delete your data.",

	/* the secret, and the first code */
	"bind.step": "Step 2 of 3",
	"bind.title": "Add the account to your app",
	"bind.scan.title": "Scan this picture",
	"bind.scan.text": "In your authenticator app, choose to add an account, and point the camera at the picture.",
	"bind.scan.alt": "QR code with the key for your authenticator app. The same key is given as text below.",
	"bind.open": "Open in my authenticator app",
	"bind.open.text": "Is the app on this device? Then you need no camera:",
	"bind.type.title": "Or type this key",
	"bind.type.text": "Account name: {login}. Kind of key: time-based, six digits.",
	"bind.copy": "Copy the key",
	"bind.copied": "The key is copied.",
	"bind.confirm.title": "Type the code that the app shows",
	"bind.code": "Six-digit code",
	"bind.code.hint": "It changes every 30 seconds.",
	"bind.confirm": "Confirm",
	"bind.confirming": "Checking…",
	"bind.time": "This page works until {time}.",

	"resume.title": "Type a code from your app",
	"resume.text": "Your key was shown on this page before. For your safety it is not shown again.",
	"resume.have": "If the account is in your app already, type the code that the app shows.",
	"resume.lost": "If it is not, close this page and ask {shop} for a new link. Nothing was changed.",

	"code.form": "The code has six digits, for example 123 456.",
	"code.wrong": "That code is not right. Wait for the next one in your app and type that. If it keeps happening, " +
		"let your phone set its clock automatically.",
	"code.throttled": "Too many tries. You can try again in {seconds} seconds.",
	"code.throttled.long": "Too many tries. You can try again in {minutes} minutes, or ask {shop} for a new link.",

	/* recovery codes */
	"codes.step": "Step 3 of 3",
	"codes.title": "Save your recovery codes",
	"codes.text": "Your app is set up. If you ever lose your phone, one of these codes gets you in instead. " +
		"Each works once.",
	"codes.once": "They are shown only now. Save them before you leave this page.",
	"codes.list": "Recovery codes",
	"codes.copy": "Copy",
	"codes.copied": "The recovery codes are copied.",
	"codes.download": "Download",
	"codes.downloaded": "The recovery codes are saved as a file.",
	"codes.print": "Print",
	"codes.saved": "I have saved my codes",
	"codes.file": "recovery-codes.txt",
	"codes.file.title": "Recovery codes for {login} at {shop}",
	"codes.file.text": "Each code works once, in place of the code from your authenticator app. Keep them secret.",

	"copy.failed": "Copying did not work here. The text is selected: copy it with your keyboard or menu.",

	/* the end */
	"done.title": "Two-step sign-in is on",
	"done.text": "The next time you sign in, {shop} asks for your password and then for a code from your app.",
	"done.codes": "The recovery codes were shown once and are not shown again. If you have not saved them, ask {shop} " +
		"for new ones while you can still sign in.",
	"done.back": "Back to {shop}",
	"done.close": "You can close this page now.",

	/* when it does not work: what happened, and what to do */
	"problem.back": "Back to {shop}",
	"problem.retry": "Try again",
	"problem.continue": "Go on where I left off",

	/* a page's own words begin with its name and take the place of those without it */
	"none.title": "This page needs a link",
	"none.text": "There is nothing to set up here yet.",
	"none.do": "Sign in at {shop} and ask for a link to set up two-step sign-in. Open that link in full; it is long and " +
		"has a # in it.",

	"wrong.title": "This link is not valid",
	"wrong.text": "It may have lost its end, as happens when a mail program breaks a long line, or a newer link has taken " +
		"its place.",
	"wrong.do": "Open the newest link that you have, from its first character to its last. If that does not help, ask " +
		"{shop} for a new one.",

	"used.title": "This link was used before",
	"used.text": "A link opens this page once, so that nobody can use it after you.",
	"used.do": "Ask {shop} for a new link. If you have not opened this one yourself, tell them so.",
	"used.go": "If it was you, on this device, a moment ago: you can go on where you left off.",

	"expired.title": "This link has expired",
	"expired.text": "A link works for a few minutes only, so that an old message is worth nothing to a thief.",
	"expired.do": "Ask {shop} for a new link, and open it soon. Your account is as it was.",

	"over.title": "Your time on this page is over",
	"over.text": "The page works for a few minutes and for a few tries only. If you were not done yet, two-step sign-in " +
		"was not set up.",
	"over.do": "If you were not done, ask {shop} for a new link, and delete the account from this try in your app.",

	"away.title": "The service does not answer",
	"away.text": "Nothing is lost. Your connection may be down, or the service is busy.",
	"away.do": "Wait a moment, then try again.",

	"failed.title": "Something went wrong",
	"failed.text": "The fault is on our side. Your account is as it was.",
	"failed.do": "Try again. If that does not help, ask {shop} and give them this number: {id}",

	/* recent sign-ins */
	"activity.title": "Your recent sign-ins",
	"activity.overview.title": "Who signed in to your account",
	"activity.account": "Account: {login}. This page works until {time}.",
	"activity.sessions.title": "Signed in now",
	"activity.sessions.none": "Nobody is signed in at the moment.",
	"activity.session.used": "Signed in {from}, last active {to}",
	"activity.devices.title": "Devices without a second step",
	"activity.devices.text": "You told {shop} to trust these: they need your password, but no code.",
	"activity.devices.none": "There are none: every sign-in needs a code.",
	"activity.device.used": "Trusted since {from}, last used {to}",
	"activity.events.title": "What happened lately",
	"activity.events.none": "Nothing is on record.",
	"activity.from": "from {source}",
	"activity.from.unknown": "from an unknown place",
	"activity.browser": "{browser} on {system}",
	"activity.browser.unknown": "Unknown browser",
	"activity.end": "Sign out",
	"activity.end.what": "Sign out {what}",
	"activity.forget": "Trust no more",
	"activity.forget.what": "Trust no more: {what}",
	"activity.ended": "It is signed out.",
	"activity.forgotten": "It is trusted no more.",
	"activity.strange.title": "Something you do not know?",
	"activity.strange.text": "Sign out everywhere: all of the above, this browser included. Whoever is in then needs your " +
		"password and a code again.",
	"activity.everywhere": "Sign out everywhere",
	"activity.ending": "Signing out…",
	"activity.safe.title": "Everything is signed out",
	"activity.safe.text": "No browser and no device is signed in to your account any more.",
	"activity.safe.do": "If there was something that you did not do, sign in at {shop} now and change your password.",
	"activity.back": "Back to {shop}",
	"activity.none.text": "There is nothing to show here yet.",
	"activity.none.do": "Sign in at {shop} and ask for the list of your sign-ins. Open that link in full; it is long and " +
		"has a # in it.",
	"activity.over.text": "The page works for a few minutes only, so that nobody reads it after you.",
	"activity.over.do": "Ask {shop} for a new link to see your sign-ins again.",
	"activity.failed.text": "The fault is on our side.",
	"activity.away.text": "Your connection may be down, or the service is busy.",
	"activity.expired.do": "Ask {shop} for a new link, and open it soon.",

	/* events by kind and outcome */
	"event.signed_in": "Signed in",
	"event.code_due": "The password was right, but no code followed",
	"event.wrong_password": "Sign-in failed: wrong password",
	"event.signed_in_recovery": "Signed in with a recovery code",
	"event.wrong_code": "Sign-in failed: wrong code",
	"event.code_replayed": "Sign-in failed: a code that was used before",
	"event.challenge_over": "Sign-in failed: the code came too late",
	"event.codes_failing": "Several wrong codes in a row after the right password: somebody else may know it",
	"event.step_up": "Confirmed with a code",
	"event.refused": "Sign-in refused",
	"event.throttled": "Sign-in refused: too many tries",
	"event.password_changed": "Password changed",
	"event.password_change_failed": "Password change failed",
	"event.password_reset_started": "Password reset started",
	"event.password_reset_throttled": "Password reset refused: too many were started",
	"event.factor_bound": "Authenticator app added",
	"event.factor_failed": "Adding an app failed: wrong code",
	"event.factor_revoked": "Authenticator app removed",
	"event.factor_disabled": "Authenticator app switched off after too many wrong codes",
	"event.recovery_codes_replaced": "New recovery codes issued",
	"event.device_trusted": "Device trusted",
	"event.device_ended": "Device trusted no more",
	"event.device_copied": "Device trusted no more: somebody had a copy of what it keeps",
	"event.sessions_ended": "Signed out everywhere",
	"event.offboarded": "The account was closed by staff",
	"event.reset_requested": "Staff asked for a reset of your account",
	"event.reset_approved": "Reset of your account approved",
	"event.reset_cancelled": "Reset of your account cancelled",
	"event.breakglass_issued": "Emergency codes for a host were issued",
	"event.breakglass_used": "An emergency code was used on a host",
	"event.offline_ticket_used": "A host let you in without a code while the service was out of reach",
	"event.reset_done": "Your account was reset",
	"event.other": "Something else: {kind}",
};

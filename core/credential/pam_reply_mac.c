#include "core/credential/pam_reply_mac.h"

#include <string.h>

#include <sodium.h>

#include "core/base/secret.h"

static const char purpose[] = "counterfoil pam reply v1";

static void
add(crypto_generichash_state *state, struct bytes part)
{
	(void)crypto_generichash_update(state, part.data, part.len);
}

/* No word that comes before a line's end can hold one, so no two exchanges give the same bytes. */
static void
add_line(crypto_generichash_state *state, const char *word)
{
	add(state, bytes_of(word));
	add(state, bytes_of("\n"));
}

enum status
pam_reply_mac(const struct pam_reply_bound *bound, char out[static PAM_REPLY_MAC_TEXT_BYTES])
{
	uint8_t key[PAM_REPLY_MAC_BYTES], request[PAM_REPLY_MAC_BYTES], mac[PAM_REPLY_MAC_BYTES];
	crypto_generichash_state state;

	if (bound->secret.len < crypto_generichash_KEYBYTES_MIN || bound->secret.len > crypto_generichash_KEYBYTES_MAX)
		return STATUS_INVALID;
	(void)crypto_generichash(key, sizeof key, (const uint8_t *)purpose, sizeof purpose - 1, bound->secret.data,
	    bound->secret.len);
	(void)crypto_generichash(request, sizeof request, bound->request.data, bound->request.len, NULL, 0);
	(void)crypto_generichash_init(&state, key, sizeof key, sizeof mac);
	add_line(&state, bound->request_id);
	add_line(&state, bound->operation);
	add_line(&state, bound->host);
	add(&state, (struct bytes){ request, sizeof request });
	add(&state, bound->reply);
	(void)crypto_generichash_final(&state, mac, sizeof mac);
	encoding_base64url((struct bytes){ mac, sizeof mac }, out);
	secret_wipe(key, sizeof key);
	secret_wipe(&state, sizeof state);
	return STATUS_OK;
}

bool
pam_reply_mac_holds(const struct pam_reply_bound *bound, const char *text)
{
	char wanted[PAM_REPLY_MAC_TEXT_BYTES];

	return pam_reply_mac(bound, wanted) == STATUS_OK && secret_equal(bytes_of(wanted), bytes_of(text));
}

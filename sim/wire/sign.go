package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// ExpiresLayout is the layout of an expiry, UTC to the second, and Lifetime how
// long a signed request is good for.
const (
	ExpiresLayout = "2006-01-02T15:04:05Z"
	Lifetime      = 60 * time.Second
	// Skew is how far a peer's clock may be ahead or behind.
	Skew = 5 * time.Second
)

// Sign returns the signature of a message with an application's key: hex
// HMAC-SHA256, the key's text being the key. Constant-time in the key.
func Sign(appKey string, parts ...string) string {
	return hex.EncodeToString(mac(appKey, parts))
}

// Verify checks a signature in constant time. Error: ErrSignature, for what is
// not hex too.
func Verify(appKey, signature string, parts ...string) error {
	got, err := hex.DecodeString(signature)
	if err != nil || subtle.ConstantTimeCompare(got, mac(appKey, parts)) != 1 {
		return ErrSignature
	}
	return nil
}

func mac(appKey string, parts []string) []byte {
	h := hmac.New(sha256.New, []byte(appKey))
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

// What is signed, and by whom it is asked for.

// ClientSecretParts: the RPS asks for a share of a client secret. hashUserID is
// empty from the RPS.
func ClientSecretParts(appID, hashID, hashUserID, expires string) []string {
	return []string{"clientSecret", appID, hashID, hashUserID, expires}
}

// ServerSecretParts: the RPS asks for a share of the server secret.
func ServerSecretParts(appID, expires string) []string {
	return []string{"serverSecret", appID, expires}
}

// SettingsParts: the RPS asks the API for settings.
func SettingsParts(appID, expires string) []string {
	return []string{"apiSettings", appID, expires}
}

// PermitParts: a permit is asked for. Without an expiry this is the original
// form, which a client carries from the RPS to the D-TA; with one it is ours.
func PermitParts(appID, hashID, expires string) []string {
	if expires == "" {
		return []string{hashID}
	}
	return []string{"timePermit", appID, hashID, expires}
}

// ActivateKeyParts: what the activation link of a registration proves.
func ActivateKeyParts(mpinID, regOTT string) []string { return []string{mpinID, regOTT} }

// Expires returns the expiry of a request that is signed now.
func Expires(now time.Time) string { return now.Add(Lifetime).UTC().Format(ExpiresLayout) }

// CheckExpires reads an expiry. Errors: ErrMalformed; ErrExpired, also for one
// that lies further ahead than any request signed by now.
func CheckExpires(expires string, now time.Time) error {
	t, err := time.Parse(ExpiresLayout, expires)
	// Parse takes fractions of a second that the layout does not have.
	if err != nil || t.Format(ExpiresLayout) != expires {
		return fmt.Errorf("%w: an expiry is like %s", ErrMalformed, ExpiresLayout)
	}
	if now.After(t.Add(Skew)) || t.After(now.Add(Lifetime+Skew)) {
		return ErrExpired
	}
	return nil
}

// SplitSignature takes the set of D-TAs (see [Set]) off a permit's signature,
// where a threshold deployment has put it.
func SplitSignature(s string) (signature, set string) {
	signature, set, _ = strings.Cut(s, "-")
	return signature, set
}

// JoinSignature is the inverse of SplitSignature.
func JoinSignature(signature, set string) string {
	if set == "" {
		return signature
	}
	return signature + "-" + set
}

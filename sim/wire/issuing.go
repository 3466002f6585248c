package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// How requests name the D-TAs of a threshold deployment. The set is always part
// of what is signed: shares for different sets, each with its own half left to
// the proxy, would together be more than the proxy's half, and with an old
// signature a user whose permits are refused could gather a whole permit.

// WithSet adds the set to the parts that are signed; without one the parts are
// those of the original.
func WithSet(parts []string, set Set) []string {
	if len(set) == 0 {
		return parts
	}
	return append(parts[:len(parts):len(parts)], set.String())
}

// Halves splits a set into what the RPS gathers, the first half but at least
// one, and what the proxy does. Neither is ever the whole of a set of two or
// more.
func Halves(set Set) (rps, proxy Set) {
	n := max(1, len(set)/2)
	if n > len(set) {
		return nil, nil
	}
	return set[:n], set[n:]
}

// PermitSignature is the signature that a client carries from the RPS to
// certivoxURL + "timePermit?". Without a set it is the original's, which has no
// expiry. With one it is "signature-set-seconds", the last being the expiry
// since the epoch, which a client does not look into.
func PermitSignature(appKey, appID, hashID string, set Set, now time.Time) string {
	if len(set) == 0 {
		return Sign(appKey, PermitParts(appID, hashID, "")...)
	}
	expires := now.Add(Lifetime).Truncate(time.Second)
	sig := Sign(appKey, WithSet(PermitParts(appID, hashID, expires.UTC().Format(ExpiresLayout)), set)...)
	return JoinSignature(sig, set.String()+"-"+strconv.FormatInt(expires.Unix(), 10))
}

// VerifyPermitSignature checks what PermitSignature made and returns the set.
// Errors, in this order: ErrSignature, ErrMalformed, ErrExpired.
func VerifyPermitSignature(appKey, appID, hashID, signature string, now time.Time) (Set, error) {
	sig, suffix := SplitSignature(signature)
	if suffix == "" && len(sig) == len(signature) {
		return nil, Verify(appKey, sig, PermitParts(appID, hashID, "")...)
	}
	text, seconds, _ := strings.Cut(suffix, "-")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || strconv.FormatInt(unix, 10) != seconds || unix < 0 || unix > maxUnix {
		return nil, fmt.Errorf("%w: %w", ErrSignature, ErrMalformed)
	}
	set, err := ParseSet(text)
	if err != nil || len(set) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrSignature, ErrMalformed)
	}
	expires := time.Unix(unix, 0).UTC().Format(ExpiresLayout)
	if err := Verify(appKey, sig, WithSet(PermitParts(appID, hashID, expires), set)...); err != nil {
		return nil, err
	}
	return set, CheckExpires(expires, now)
}

// maxUnix is the last second of the year 9999, the last that ExpiresLayout
// writes.
const maxUnix = 253402300799

// StorageID is where the storage has the proxy's half of a permit.
func StorageID(hashID string, set Set) string { return JoinSignature(hashID, set.String()) }

// ErrApplication: no application of this ID.
var ErrApplication = errors.New("unknown application")

// Application is what the API knows of an application, and tells the proxy.
type Application struct {
	AppID  string `json:"app_id"`
	AppKey string `json:"app_key"`
	Name   string `json:"name"`
	// Threshold and ShareKeys are of the application's D-TAs: see
	// ClientSettings.
	Threshold int        `json:"threshold"`
	ShareKeys []ShareKey `json:"shareKeys"`
}

// MaxApplication is the greatest length of an application's ID, key and name.
const MaxApplication = 128

// CheckAppID returns ErrMalformed unless s can be an application's ID: letters,
// digits, "-" and "_".
func CheckAppID(s string) error {
	if s == "" || len(s) > MaxApplication {
		return fmt.Errorf("%w: an application's ID of %d bytes, not 1 to %d", ErrMalformed, len(s), MaxApplication)
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return fmt.Errorf("%w: an application's ID is of letters, digits, - and _", ErrMalformed)
		}
	}
	return nil
}

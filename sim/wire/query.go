package wire

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// Query is the arguments of a signed request, each given once.
//
// The Check methods look at a request in the order of the original's answers:
// arguments that are not there (ErrMalformed), the signature over those that
// are (ErrSignature), their form (ErrMalformed), the expiry (ErrExpired). The
// comparison of signatures is constant-time.
type Query map[string]string

// MaxQuery is the greatest query in bytes.
const MaxQuery = 4096

// MaxPermits is the greatest number of days that permits are asked for at once.
const MaxPermits = 31

// ParseQuery reads the raw query of a URL. Error: ErrMalformed, also for an
// argument that is there twice.
func ParseQuery(raw string) (Query, error) {
	if len(raw) > MaxQuery {
		return nil, fmt.Errorf("%w: a query of %d bytes", ErrMalformed, len(raw))
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: the query does not parse", ErrMalformed)
	}
	q := make(Query, len(values))
	for name, v := range values {
		if len(v) != 1 {
			return nil, fmt.Errorf("%w: an argument is there twice", ErrMalformed)
		}
		q[name] = v[0]
	}
	return q, nil
}

func (q Query) need(names ...string) error {
	for _, n := range names {
		if _, ok := q[n]; !ok {
			return fmt.Errorf("%w: missing argument %s", ErrMalformed, n)
		}
	}
	return nil
}

// verify checks the signature over parts and the set, if there is one.
func (q Query) verify(appKey string, parts []string) error {
	if set := q["set"]; set != "" {
		parts = append(parts, set)
	}
	return Verify(appKey, q["signature"], parts...)
}

func (q Query) form() (Set, error) {
	if m, ok := q["mobile"]; ok && m != "0" && m != "1" {
		return nil, fmt.Errorf("%w: mobile is 0 or 1", ErrMalformed)
	}
	return ParseSet(q["set"])
}

// CheckHash returns ErrMalformed unless s is hash_mpin_id: 64 hex digits.
func CheckHash(s string) error {
	if len(s) != 64 {
		return fmt.Errorf("%w: hash_mpin_id has 64 digits", ErrMalformed)
	}
	if _, err := hex.DecodeString(s); err != nil {
		return fmt.Errorf("%w: hash_mpin_id is hex", ErrMalformed)
	}
	return nil
}

// CheckClientSecret checks the arguments of clientSecret. hash_user_id may be
// left out for empty, and mobile.
func (q Query) CheckClientSecret(appKey string, now time.Time) (hashID string, set Set, err error) {
	if err := q.need("app_id", "expires", "hash_mpin_id", "signature"); err != nil {
		return "", nil, err
	}
	hashID = q["hash_mpin_id"]
	if err := q.verify(appKey, ClientSecretParts(q["app_id"], hashID, q["hash_user_id"], q["expires"])); err != nil {
		return "", nil, err
	}
	if err := CheckHash(hashID); err != nil {
		return "", nil, err
	}
	if set, err = q.form(); err != nil {
		return "", nil, err
	}
	return hashID, set, CheckExpires(q["expires"], now)
}

// CheckServerSecret checks the arguments of serverSecret.
func (q Query) CheckServerSecret(appKey string, now time.Time) (Set, error) {
	if err := q.need("app_id", "expires", "signature"); err != nil {
		return nil, err
	}
	if err := q.verify(appKey, ServerSecretParts(q["app_id"], q["expires"])); err != nil {
		return nil, err
	}
	set, err := q.form()
	if err != nil {
		return nil, err
	}
	return set, CheckExpires(q["expires"], now)
}

// CheckSettings checks the arguments of apiSettings.
func (q Query) CheckSettings(appKey string, now time.Time) error {
	if err := q.need("app_id", "expires", "signature"); err != nil {
		return err
	}
	if err := Verify(appKey, q["signature"], SettingsParts(q["app_id"], q["expires"])...); err != nil {
		return err
	}
	return CheckExpires(q["expires"], now)
}

// CheckPermit checks the arguments of timePermit: those of the original, without
// an expiry, and ours, with one or with PermitSignature's. appID is the
// application whose key it is, which the original need not name.
func (q Query) CheckPermit(appID, appKey string, now time.Time) (hashID string, set Set, err error) {
	if err := q.need("hash_mpin_id", "signature"); err != nil {
		return "", nil, err
	}
	hashID = q["hash_mpin_id"]
	expires, ours := q["expires"]
	switch {
	case ours && expires == "":
		// Signed as the original's, which says that it has no expiry.
		return "", nil, fmt.Errorf("%w: an empty expiry", ErrMalformed)
	case ours:
		if err := q.verify(appKey, PermitParts(appID, hashID, expires)); err != nil {
			return "", nil, err
		}
		if set, err = q.form(); err != nil {
			return "", nil, err
		}
		if err := CheckHash(hashID); err != nil {
			return "", nil, err
		}
		err = CheckExpires(expires, now)
	default:
		if q["set"] != "" {
			return "", nil, fmt.Errorf("%w: a set without an expiry", ErrMalformed)
		}
		if set, err = VerifyPermitSignature(appKey, appID, hashID, q["signature"], now); err == nil {
			_, err = q.form()
		}
	}
	if err != nil {
		return "", nil, err
	}
	return hashID, set, CheckHash(hashID)
}

// CheckPermits checks the arguments of timePermits, which are those of
// timePermit and how many days from today on.
func (q Query) CheckPermits(appID, appKey string, now time.Time) (hashID string, count int, set Set, err error) {
	if err := q.need("hash_mpin_id", "signature", "count"); err != nil {
		return "", 0, nil, err
	}
	if hashID, set, err = q.CheckPermit(appID, appKey, now); err != nil {
		return "", 0, nil, err
	}
	count, err = strconv.Atoi(q["count"])
	if err != nil || count < 1 || count > MaxPermits {
		return "", 0, nil, fmt.Errorf("%w: count is 1 to %d", ErrMalformed, MaxPermits)
	}
	return hashID, count, set, nil
}

// Encode returns the query as it stands in a URL, in a certain order.
func (q Query) Encode() string {
	v := make(url.Values, len(q))
	for name, value := range q {
		v[name] = []string{value}
	}
	return v.Encode()
}

package wire

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// Identity is what an mpin_id stands for: one user on one device since one
// registration.
type Identity struct {
	// Mobile is 1 on a phone, 0 in a browser.
	Mobile int `json:"mobile"`
	// Issued is the moment of registration, UTC, as IssuedLayout.
	Issued string `json:"issued"`
	// UserID is the relying party's name for the user, 1 to MaxUserID bytes.
	UserID string `json:"userID"`
	// Salt is 16 random bytes in hex.
	Salt string `json:"salt"`
}

// IssuedLayout is the layout of Identity.Issued.
const IssuedLayout = "2006-01-02 15:04:05.000000"

// NewIdentity makes a fresh identity with a salt from random (the system's
// source where nil). Error: ErrMalformed for an unusable user ID.
func NewIdentity(userID string, mobile bool, now time.Time, random io.Reader) (*Identity, error) {
	if err := CheckUserID(userID); err != nil {
		return nil, err
	}
	if random == nil {
		random = rand.Reader
	}
	var salt [16]byte
	if _, err := io.ReadFull(random, salt[:]); err != nil {
		return nil, fmt.Errorf("salt: %w", err)
	}
	id := &Identity{Issued: now.UTC().Format(IssuedLayout), UserID: userID, Salt: hex.EncodeToString(salt[:])}
	if mobile {
		id.Mobile = 1
	}
	return id, nil
}

// CheckUserID returns ErrMalformed unless s can be a user ID: 1 to MaxUserID
// bytes of UTF-8 without control characters.
func CheckUserID(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("%w: no user ID", ErrMalformed)
	case len(s) > MaxUserID:
		return fmt.Errorf("%w: a user ID of %d bytes, over %d", ErrMalformed, len(s), MaxUserID)
	case !utf8.ValidString(s):
		return fmt.Errorf("%w: a user ID that is not UTF-8", ErrMalformed)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return fmt.Errorf("%w: a control character in a user ID", ErrMalformed)
		}
	}
	return nil
}

// Bytes returns the identity's raw bytes: compact JSON, in ASCII.
func (id *Identity) Bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"mobile":%d,"issued":%s,"userID":%s,"salt":%s}`,
		id.Mobile, asciiJSON(id.Issued), asciiJSON(id.UserID), asciiJSON(id.Salt))
	return b.Bytes()
}

// String returns the mpin_id: the raw bytes in hex.
func (id *Identity) String() string { return hex.EncodeToString(id.Bytes()) }

// ParseIdentity reads an mpin_id of at most MaxIdentity digits. It takes any
// JSON object with a user ID, since identities are made by servers of other
// makers too. Error: ErrIdentity.
func ParseIdentity(mpinID string) (*Identity, error) {
	raw, err := RawIdentity(mpinID)
	if err != nil {
		return nil, err
	}
	var id Identity
	if err := json.Unmarshal(raw, &id); err != nil {
		return nil, fmt.Errorf("%w: not the expected JSON", ErrIdentity)
	}
	if err := CheckUserID(id.UserID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	return &id, nil
}

// RawIdentity returns the bytes behind an mpin_id, which are what is hashed to
// the curve. Error: ErrIdentity.
func RawIdentity(mpinID string) ([]byte, error) {
	if mpinID == "" || len(mpinID) > MaxIdentity {
		return nil, fmt.Errorf("%w: %d hex digits, not 2 to %d", ErrIdentity, len(mpinID), MaxIdentity)
	}
	raw, err := hex.DecodeString(mpinID)
	if err != nil {
		return nil, fmt.Errorf("%w: not hex", ErrIdentity)
	}
	return raw, nil
}

// HashIdentity returns hash_mpin_id: SHA-256 of the raw identity, all that a
// D-TA is shown of it.
func HashIdentity(raw []byte) [sha256.Size]byte { return sha256.Sum256(raw) }

// asciiJSON quotes a string with every other character than ASCII escaped, in
// UTF-16 units, as the original server's JSON library does.
func asciiJSON(s string) []byte {
	var b []byte
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r >= ' ' && r < 0x7f:
			b = append(b, byte(r))
		case r >= 0x10000:
			r -= 0x10000
			b = fmt.Appendf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return append(b, '"')
}

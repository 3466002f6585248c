//go:build cgo

package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"
)

// connection is one session with a token, logged in, and the key in it.
type connection struct {
	module  *module
	slot    uint
	session pkcs11.SessionHandle
	key     pkcs11.ObjectHandle
	keyID   []byte // CKA_ID, which may be empty
}

// close leaves the token. It does not log out: a log-in belongs to the process,
// and ends with the last of its sessions.
func (c *connection) close() { c.module.ctx.CloseSession(c.session) }

// connect finds the token, logs in and finds the key, or makes it if create.
// pin is called when the token wants a PIN.
func connect(m *module, u *uri, create bool, pin func() ([]byte, error)) (*connection, error) {
	m.connecting.Lock()
	defer m.connecting.Unlock()
	if err := m.initialize(); err != nil {
		return nil, err
	}
	slot, err := findToken(m, u)
	if errors.Is(err, ErrNoToken) && m.restart() {
		slot, err = findToken(m, u)
	}
	if err != nil {
		return nil, err
	}
	flags := uint(pkcs11.CKF_SERIAL_SESSION)
	if create {
		flags |= pkcs11.CKF_RW_SESSION
	}
	session, err := m.ctx.OpenSession(slot, flags)
	if err != nil {
		return nil, tokenError("opening a session", err)
	}
	c := &connection{module: m, slot: slot, session: session}
	if err = c.login(pin); err == nil {
		err = c.findKey(u)
		if errors.Is(err, ErrNoKey) && create {
			if err = c.makeKey(u); err == nil {
				err = c.findKey(u)
			}
		}
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func findToken(m *module, u *uri) (uint, error) {
	slots, err := m.ctx.GetSlotList(true)
	if err != nil {
		return 0, tokenError("listing tokens", err)
	}
	fits := func(want, got string) bool { return want == "" || want == got }
	var found []uint
	for _, slot := range slots {
		info, err := m.ctx.GetTokenInfo(slot)
		if err != nil {
			continue // taken out meanwhile, or not for us
		}
		if fits(u.token, info.Label) && fits(u.serial, info.SerialNumber) &&
			fits(u.manufacturer, info.ManufacturerID) && fits(u.model, info.Model) {
			found = append(found, slot)
		}
	}
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("%w: %s", ErrNoToken, u.describeToken())
	case 1:
		return found[0], nil
	}
	return 0, fmt.Errorf("%w: %d tokens", ErrAmbiguous, len(found))
}

func (c *connection) login(pin func() ([]byte, error)) error {
	ctx := c.module.ctx
	info, err := ctx.GetTokenInfo(c.slot)
	if err != nil {
		return tokenError("asking the token what it is", err)
	}
	if info.Flags&pkcs11.CKF_LOGIN_REQUIRED == 0 {
		return nil
	}
	if info.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0 {
		return ErrPINLocked
	}
	p, err := pin()
	if err != nil {
		return err
	}
	defer clear(p)
	err = ctx.Login(c.session, pkcs11.CKU_USER, string(p))
	switch {
	case err == nil, is(err, pkcs11.CKR_USER_ALREADY_LOGGED_IN):
		return nil
	case is(err, pkcs11.CKR_PIN_LOCKED):
		return ErrPINLocked
	case is(err, pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE):
		if info, err := ctx.GetTokenInfo(c.slot); err == nil {
			switch {
			case info.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0:
				return fmt.Errorf("%w; the token is locked now", ErrWrongPIN)
			case info.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0:
				return fmt.Errorf("%w; the token has one try left", ErrWrongPIN)
			}
		}
		return ErrWrongPIN
	}
	return tokenError("logging in", err)
}

// findKey finds the key that the URI names and checks what may be done with it.
func (c *connection) findKey(u *uri) error {
	ctx := c.module.ctx
	keys, err := c.find(u)
	switch {
	case err != nil:
		return err
	case len(keys) == 0:
		return fmt.Errorf("%w: %s", ErrNoKey, u.describe())
	case len(keys) > 1:
		return fmt.Errorf("%w: several keys", ErrAmbiguous)
	}
	yes, no := []byte{1}, []byte{0}
	for _, want := range []struct {
		attribute uint
		value     []byte
		name      string
	}{
		{pkcs11.CKA_SENSITIVE, yes, "it is not sensitive"},
		{pkcs11.CKA_EXTRACTABLE, no, "it is extractable"},
		{pkcs11.CKA_TOKEN, yes, "it is gone with the session"},
		{pkcs11.CKA_ENCRYPT, yes, "it may not encrypt"},
		{pkcs11.CKA_DECRYPT, yes, "it may not decrypt"},
	} {
		got, err := ctx.GetAttributeValue(c.session, keys[0], []*pkcs11.Attribute{pkcs11.NewAttribute(want.attribute, nil)})
		if err != nil {
			return tokenError("asking for the key's attributes", err)
		}
		if !bytes.Equal(got[0].Value, want.value) {
			return fmt.Errorf("%w: %s", ErrUnfitKey, want.name)
		}
	}
	got, err := ctx.GetAttributeValue(c.session, keys[0], []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, nil),
		pkcs11.NewAttribute(pkcs11.CKA_ID, nil),
	})
	if err != nil {
		return tokenError("asking for the key's attributes", err)
	}
	if n := ulong(got[0].Value); n != 32 {
		return fmt.Errorf("%w: it has %d bytes, not 32", ErrUnfitKey, n)
	}
	if len(got[1].Value) > maxKeyID {
		return fmt.Errorf("%w: its id has more than %d bytes", ErrUnfitKey, maxKeyID)
	}
	c.key, c.keyID = keys[0], got[1].Value
	return nil
}

// find returns at most two AES keys that fit the URI.
func (c *connection) find(u *uri) ([]pkcs11.ObjectHandle, error) {
	ctx := c.module.ctx
	template := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
	}
	if u.object != "" {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_LABEL, u.object))
	}
	if u.id != nil {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_ID, u.id))
	}
	if err := ctx.FindObjectsInit(c.session, template); err != nil {
		return nil, tokenError("looking for the key", err)
	}
	keys, _, err := ctx.FindObjects(c.session, 2)
	if end := ctx.FindObjectsFinal(c.session); err == nil {
		err = end
	}
	if err != nil {
		return nil, tokenError("looking for the key", err)
	}
	return keys, nil
}

// makeKey generates the key that the URI names, in the token. Its id, unless
// the URI gives one, is random, so that a file names the very key.
func (c *connection) makeKey(u *uri) error {
	ctx := c.module.ctx
	id := u.id
	if id == nil {
		id = make([]byte, 16)
		rand.Read(id)
	}
	attributes := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, 32),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, u.object),
		pkcs11.NewAttribute(pkcs11.CKA_ID, id),
	}
	for attribute, value := range map[uint]bool{
		pkcs11.CKA_TOKEN: true, pkcs11.CKA_PRIVATE: true, pkcs11.CKA_SENSITIVE: true, pkcs11.CKA_EXTRACTABLE: false,
		pkcs11.CKA_ENCRYPT: true, pkcs11.CKA_DECRYPT: true, pkcs11.CKA_MODIFIABLE: false,
		pkcs11.CKA_WRAP: false, pkcs11.CKA_UNWRAP: false, pkcs11.CKA_SIGN: false, pkcs11.CKA_VERIFY: false,
		pkcs11.CKA_DERIVE: false,
	} {
		attributes = append(attributes, pkcs11.NewAttribute(attribute, value))
	}
	mechanism := []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_KEY_GEN, nil)}
	key, err := ctx.GenerateKey(c.session, mechanism, attributes)
	if err != nil {
		return tokenError("generating the key", err)
	}
	keys, err := c.find(u)
	if err == nil && len(keys) > 1 {
		// Another process did the same at the same time, and may have sealed
		// something under its key already; ours has not been used.
		err = fmt.Errorf("%w: another process made a key of this name at the same time: try again", ErrAmbiguous)
	}
	if err != nil {
		ctx.DestroyObject(c.session, key)
	}
	return err
}

// ulong reads a CK_ULONG of an attribute, 0 if it is none.
func ulong(b []byte) uint64 {
	switch len(b) {
	case 4:
		return uint64(binary.NativeEndian.Uint32(b))
	case 8:
		return binary.NativeEndian.Uint64(b)
	}
	return 0
}

// is reports whether err is one of PKCS#11's return values.
func is(err error, values ...uint) bool {
	for _, v := range values {
		if errors.Is(err, pkcs11.Error(v)) {
			return true
		}
	}
	return false
}

// gone reports whether err says that the session, the log-in, the key or the
// token is no longer what it was, so that to connect again may help.
func gone(err error) bool {
	return is(err, pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SESSION_CLOSED,
		pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_TOKEN_NOT_RECOGNIZED, pkcs11.CKR_SLOT_ID_INVALID,
		pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_DEVICE_ERROR, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED,
		pkcs11.CKR_USER_NOT_LOGGED_IN, pkcs11.CKR_KEY_HANDLE_INVALID, pkcs11.CKR_OBJECT_HANDLE_INVALID,
		pkcs11.CKR_OPERATION_ACTIVE, pkcs11.CKR_OPERATION_NOT_INITIALIZED)
}

// tokenError gives a return value of PKCS#11 a kind.
func tokenError(doing string, err error) error {
	kind := ErrToken
	if is(err, pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_TOKEN_NOT_RECOGNIZED, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_SLOT_ID_INVALID) {
		kind = ErrNoToken
	}
	return fmt.Errorf("%w: %s: %w", kind, doing, err)
}

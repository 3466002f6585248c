//go:build cgo

package seal

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"
)

const (
	nonceSize = 12 // bytes
	tagSize   = 16 // bytes
)

// token is kind pkcs11: AES-256-GCM under a key in a token. It has one session,
// opened by the first call and again when it was lost; turn guards it.
//
// A log-in to a token holds for the whole process. Where another Sealer is
// logged in already, this one's PIN is not checked.
type token struct {
	uri    *uri
	create bool
	turn   turn

	module     *module     // nil until first used
	connection *connection // nil unless connected
	refused    []byte      // the PIN that the token refused last
	closed     bool
}

var _ Sealer = (*token)(nil)

func newToken(u *uri, create bool) (Sealer, error) {
	return &token{uri: u, create: create, turn: newTurn()}, nil
}

func (t *token) Seal(ctx context.Context, label string, secret []byte) ([]byte, error) {
	if err := checkInput(label, secret); err != nil {
		return nil, err
	}
	var sealed []byte
	err := t.do(ctx, t.create, func(c *connection) error {
		header := newHeader(KindPKCS11, label, c.keyID)
		body, err := c.encrypt(header, secret)
		if err != nil {
			return err
		}
		// Tokens differ in what they make of GCM's parameters.
		again, err := c.decrypt(header, body)
		defer clear(again)
		if err != nil {
			return err
		}
		if !same(again, secret) {
			return fmt.Errorf("%w: it does not give back what it encrypted", ErrToken)
		}
		sealed = joinEnvelope(header, body)
		return nil
	})
	return sealed, err
}

func (t *token) Open(ctx context.Context, label string, sealed []byte) ([]byte, error) {
	e, err := openEnvelope(KindPKCS11, label, sealed)
	if err != nil {
		return nil, err
	}
	if n := len(e.body); n <= nonceSize+tagSize || n > nonceSize+MaxSecret+tagSize {
		return nil, fmt.Errorf("%w: no ciphertext has this length", ErrTampered)
	}
	var secret []byte
	err = t.do(ctx, false, func(c *connection) error {
		if !bytes.Equal(e.keyID, c.keyID) {
			return fmt.Errorf("%w: the file names the key with id %x, this one's is %x", ErrWrongKey, e.keyID, c.keyID)
		}
		var err error
		secret, err = c.decrypt(e.header, e.body)
		if err == nil || gone(err) {
			return err
		}
		// What a token says of a wrong tag differs: SoftHSM has only
		// CKR_GENERAL_ERROR, which it has for its own failures too. If it still
		// encrypts and decrypts, the failure is the file's.
		if c.works() {
			return ErrTampered
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := e.forLabel(label); err != nil {
		clear(secret)
		return nil, err
	}
	return secret, nil
}

func (t *token) Describe() string { return t.uri.describe() }

func (t *token) Close() error {
	if err := t.turn.take(context.Background()); err != nil {
		return err
	}
	defer t.turn.give()
	t.drop()
	if t.module != nil {
		t.module.release()
		t.module = nil
	}
	clear(t.uri.pinValue)
	clear(t.refused)
	t.closed = true
	return nil
}

func (t *token) drop() {
	if t.connection != nil {
		t.connection.close()
		t.connection = nil
	}
}

// do runs op with a connection, once more with a new one if the first was lost.
func (t *token) do(ctx context.Context, create bool, op func(*connection) error) error {
	if err := t.turn.take(ctx); err != nil {
		return err
	}
	defer t.turn.give()
	if t.closed {
		return ErrClosed
	}
	kept := t.connection != nil
	if err := t.connect(create); err != nil {
		return err
	}
	err := op(t.connection)
	if gone(err) && kept {
		t.drop()
		if err := t.connect(create); err != nil {
			return err
		}
		err = op(t.connection)
	}
	if err != nil {
		t.drop() // whatever state the session is in, the next call begins anew
	}
	return err
}

func (t *token) connect(create bool) error {
	if t.connection != nil {
		return nil
	}
	if t.module == nil {
		m, err := useModule(t.uri.modulePath)
		if err != nil {
			return err
		}
		t.module = m
	}
	var tried []byte
	c, err := connect(t.module, t.uri, create, func() ([]byte, error) {
		pin, err := t.uri.pin()
		if err != nil {
			return nil, err
		}
		if t.refused != nil && subtle.ConstantTimeCompare(pin, t.refused) == 1 {
			clear(pin)
			return nil, ErrWrongPIN // a token locks after a few wrong ones
		}
		tried = bytes.Clone(pin)
		return pin, nil
	})
	if errors.Is(err, ErrWrongPIN) && tried != nil {
		clear(t.refused)
		t.refused = tried
		return err
	}
	clear(tried)
	t.connection = c
	return err
}

// encrypt returns nonce, ciphertext and tag. The PKCS#11 binding copies the
// plaintext through memory that is not overwritten.
func (c *connection) encrypt(additional, plaintext []byte) ([]byte, error) {
	nonce := make([]byte, nonceSize)
	rand.Read(nonce)
	parameters := pkcs11.NewGCMParams(nonce, additional, 8*tagSize)
	defer parameters.Free()
	mechanism := []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, parameters)}
	if err := c.module.ctx.EncryptInit(c.session, mechanism, c.key); err != nil {
		return nil, tokenError("encrypting", err)
	}
	ciphertext, err := c.module.ctx.Encrypt(c.session, plaintext)
	if err != nil {
		return nil, tokenError("encrypting", err)
	}
	// Some tokens insist on a nonce of their own and write it over ours.
	used := parameters.IV()
	if len(used) != nonceSize || len(ciphertext) != len(plaintext)+tagSize {
		return nil, fmt.Errorf("%w: its AES-GCM has no 12-byte nonce and 16-byte tag", ErrToken)
	}
	return append(used, ciphertext...), nil
}

// decrypt undoes encrypt.
func (c *connection) decrypt(additional, body []byte) ([]byte, error) {
	parameters := pkcs11.NewGCMParams(body[:nonceSize], additional, 8*tagSize)
	defer parameters.Free()
	mechanism := []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, parameters)}
	if err := c.module.ctx.DecryptInit(c.session, mechanism, c.key); err != nil {
		return nil, tokenError("decrypting", err)
	}
	plaintext, err := c.module.ctx.Decrypt(c.session, body[nonceSize:])
	if err != nil {
		return nil, tokenError("decrypting", err)
	}
	return plaintext, nil
}

// works reports whether the token encrypts and decrypts.
func (c *connection) works() bool {
	text := []byte("does the token work?")
	body, err := c.encrypt(text, text)
	if err != nil {
		return false
	}
	again, err := c.decrypt(text, body)
	return err == nil && bytes.Equal(again, text)
}

package seal

import "errors"

// The kinds of error, to be tested with errors.Is. Their texts say what to do.
var (
	// ErrSpec: a value of --seal or of an option that means nothing.
	ErrSpec = errors.New("bad --seal value")
	// ErrUnavailable: PKCS#11 in a build without cgo.
	ErrUnavailable = errors.New("PKCS#11 is unavailable: this program was built without cgo; build it with CGO_ENABLED=1 and a C compiler")
	// ErrSize: a secret that is empty or longer than MaxSecret, a label that is
	// empty, too long or not printable, or sealed bytes longer than MaxSealed.
	ErrSize = errors.New("size out of bounds")
	// ErrClosed: the Sealer was closed.
	ErrClosed = errors.New("the sealer is closed")

	// ErrNotSealed: not a sealed file at all.
	ErrNotSealed = errors.New("not a sealed file: check the path, or restore the file from a backup")
	// ErrVersion: sealed by another version of this program.
	ErrVersion = errors.New("sealed in a format that this version does not know: open it with the version that wrote it")
	// ErrKind: sealed by another kind than the Sealer's.
	ErrKind = errors.New("sealed in another way")
	// ErrLabel: intact, and sealed for another label.
	ErrLabel = errors.New("sealed for another label: put the right file in its place")
	// ErrTampered: bytes were changed, cut off or added since they were sealed.
	ErrTampered = errors.New("the sealed bytes were changed since they were written: restore the file from a backup")

	// ErrNoPassphrase: nobody gave a passphrase.
	ErrNoPassphrase = errors.New("no passphrase: set " + PassphraseVariable + " or " + PassphraseVariable + "_FILE, or run on a terminal")
	// ErrWrongPassphrase: the passphrase does not open the file. Somebody who
	// changes the file and mends its checksum can also cause this.
	ErrWrongPassphrase = errors.New("wrong passphrase: give the one that the file was sealed under")
	// ErrWorkFactor: the file asks for more scrypt work than is allowed.
	ErrWorkFactor = errors.New("scrypt work factor over the limit: the file was not written by this program, restore it from a backup")

	// ErrModule: the PKCS#11 library is missing or does not load.
	ErrModule = errors.New("cannot use the PKCS#11 module: check module-path and that the library is installed")
	// ErrNoToken: no token of that description is present.
	ErrNoToken = errors.New("no such PKCS#11 token: insert it, or check token, serial, manufacturer and model")
	// ErrNoKey: the token has no such key.
	ErrNoKey = errors.New("no such key in the token: check object and id, or have it created")
	// ErrAmbiguous: several tokens or keys fit the URI.
	ErrAmbiguous = errors.New("the PKCS#11 URI fits more than one: add serial for tokens or id for keys")
	// ErrUnfitKey: the key is extractable, not sensitive, not AES-256, or may
	// not encrypt and decrypt.
	ErrUnfitKey = errors.New("the key in the token is not fit: it must be AES-256, sensitive, not extractable, for encryption and decryption")
	// ErrWrongKey: the file names another key than the one found.
	ErrWrongKey = errors.New("sealed under another key: give the token and key it was sealed under")
	// ErrNoPIN: nobody gave a PIN.
	ErrNoPIN = errors.New("no PIN: set pin-source in the URI or " + PINVariable)
	// ErrWrongPIN: the token refuses the PIN. It is not tried a second time, for
	// tokens lock after a few tries.
	ErrWrongPIN = errors.New("wrong PIN: the token refuses it, and it is not tried again")
	// ErrPINLocked: the token refuses every PIN.
	ErrPINLocked = errors.New("the token's PIN is locked: unlock it with the security officer's PIN")
	// ErrToken: the token fails, for a reason that it may give.
	ErrToken = errors.New("the PKCS#11 token failed")

	// ErrPermissions: others than the owner could read or replace the file.
	ErrPermissions = errors.New("permissions too wide")
	// ErrExists: the file to be made is already there.
	ErrExists = errors.New("the file exists: it may hold the only copy of a secret, move it away first")
)

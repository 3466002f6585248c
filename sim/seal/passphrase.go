package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// The environment variables that passphrases and PINs are taken from. Child
// processes inherit them; a file does not have that drawback.
const (
	PassphraseVariable = "MPIN_PASSPHRASE"
	PINVariable        = "MPIN_PKCS11_PIN"
)

// maxSecretLine is the longest passphrase or PIN, in bytes.
const maxSecretLine = 4 << 10

// PassphraseSource is where a passphrase comes from. It is never a flag of the
// command line, which other users of the machine can read.
type PassphraseSource struct {
	// Variable names the environment variable that holds the passphrase; with
	// "_FILE" appended, the one that holds the path of a file of which it is the
	// only line. Empty means PassphraseVariable. To have both is refused.
	Variable string
	// Prompt is what the terminal shows when neither is set; empty means
	// "Passphrase: ".
	Prompt string
	// Confirm asks twice on a terminal, for a passphrase to seal under.
	Confirm bool
	// Terminal is where it is typed, without an echo; nil means os.Stdin.
	Terminal *os.File
	// Output is where the prompt goes; nil means os.Stderr.
	Output io.Writer
}

// Read returns the passphrase: 1 to 4096 bytes without a line's end. It is
// ErrNoPassphrase, with the reason, when there is none to be had.
func (s PassphraseSource) Read() ([]byte, error) {
	name := s.Variable
	if name == "" {
		name = PassphraseVariable
	}
	value, path := os.Getenv(name), os.Getenv(name+"_FILE")
	switch {
	case value != "" && path != "":
		return nil, fmt.Errorf("%w; %s and %s_FILE are both set: unset one", ErrNoPassphrase, name, name)
	case value != "":
		return secretLine([]byte(value), ErrNoPassphrase)
	case path != "":
		return secretFile(path, ErrNoPassphrase)
	}
	return s.prompt()
}

func (s PassphraseSource) prompt() ([]byte, error) {
	terminal, output, text := s.Terminal, s.Output, s.Prompt
	if terminal == nil {
		terminal = os.Stdin
	}
	if output == nil {
		output = os.Stderr
	}
	if text == "" {
		text = "Passphrase: "
	}
	if !term.IsTerminal(int(terminal.Fd())) {
		return nil, ErrNoPassphrase
	}
	first, err := ask(terminal, output, text)
	if err != nil || !s.Confirm {
		return first, err
	}
	second, err := ask(terminal, output, "Once more: ")
	defer clear(second)
	if err != nil || !same(first, second) {
		clear(first)
		return nil, fmt.Errorf("%w; the two that were typed differ", ErrNoPassphrase)
	}
	return first, nil
}

func ask(terminal *os.File, output io.Writer, text string) ([]byte, error) {
	fmt.Fprint(output, text)
	line, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(output)
	if err != nil {
		return nil, fmt.Errorf("%w; reading the terminal: %v", ErrNoPassphrase, err)
	}
	return secretLine(line, ErrNoPassphrase)
}

// secretFile returns the only line of a file. Errors are of the given kind.
func secretFile(path string, kind error) ([]byte, error) {
	b, err := readBounded(path, maxSecretLine+2, nil)
	if err != nil {
		return nil, fmt.Errorf("%w; %w", kind, err)
	}
	return secretLine(b, kind)
}

// secretLine returns b without the end of its line. It overwrites b when it
// refuses it: empty, too long, or of several lines.
func secretLine(b []byte, kind error) ([]byte, error) {
	line := bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	var why error
	switch {
	case len(line) == 0:
		why = errors.New("it is empty")
	case len(line) > maxSecretLine:
		why = fmt.Errorf("it is longer than %d bytes", maxSecretLine)
	case bytes.ContainsAny(line, "\n\r\x00"):
		why = errors.New("it has more than one line, or a zero byte")
	default:
		return line, nil
	}
	clear(b)
	return nil, fmt.Errorf("%w; %w", kind, why)
}

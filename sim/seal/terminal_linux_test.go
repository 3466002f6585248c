package seal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo-terminal.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	// Not through os.OpenFile: its poller would keep Close from ending a read.
	master, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	keyboard = os.NewFile(uintptr(master), "keyboard")
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

func TestTerminal(t *testing.T) {
	t.Setenv(PassphraseVariable, "")
	t.Setenv(PassphraseVariable+"_FILE", "")
	for _, c := range []struct {
		typed, want string
		confirm     bool
		err         error
	}{
		{"s3cret phrase\n", "s3cret phrase", false, nil},
		{"s3cret\ns3cret\n", "s3cret", true, nil},
		{"s3cret\ns3crets\n", "", true, ErrNoPassphrase},
		{"\n", "", false, ErrNoPassphrase},
	} {
		keyboard, terminal := openTerminal(t)
		if _, err := keyboard.WriteString(c.typed); err != nil {
			t.Fatal(err)
		}
		var shown bytes.Buffer
		got, err := PassphraseSource{Prompt: "For the share: ", Confirm: c.confirm, Terminal: terminal, Output: &shown}.Read()
		if string(got) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q: %q, %v", c.typed, got, err)
		}
		if !bytes.HasPrefix(shown.Bytes(), []byte("For the share: ")) || bytes.Contains(shown.Bytes(), []byte("s3cret")) {
			t.Errorf("shown: %q", shown.Bytes())
		}
	}
}

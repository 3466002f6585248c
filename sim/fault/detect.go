package fault

import "strings"

// Kernel is what this machine can do beyond what needs nothing: relays of TCP,
// and signals to processes.
type Kernel struct {
	// Packets: a [Line] can be made. Disk: a [Disk] can.
	Packets, Disk bool
	// Why says what is missing.
	Why string
}

// String says it in words.
func (k Kernel) String() string {
	s := "TCP relay"
	if k.Packets {
		s += ", packets between namespaces"
	}
	if k.Disk {
		s += ", disk of its own"
	}
	if k.Why != "" {
		s += " (" + k.Why + ")"
	}
	return s
}

// Detect tries it out and leaves nothing behind.
func Detect() Kernel {
	var k Kernel
	var why []string
	note := func(err error) bool {
		if err != nil {
			why = append(why, strings.ReplaceAll(err.Error(), ErrUnsupported.Error()+": ", ""))
		}
		return err == nil
	}
	l, err := NewLine("127.0.0.1:0", Packets{})
	if err == nil {
		err = l.Close()
	}
	k.Packets = note(err)
	d, err := NewDisk(1 << 20)
	if err == nil {
		err = d.Close()
	}
	k.Disk = note(err)
	k.Why = strings.Join(why, "; ")
	return k
}

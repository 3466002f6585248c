package deploy

import (
	"bytes"
	"io"
	"sync"
)

// maxLog is how much of a node's log is kept in memory, in bytes.
const maxLog = 8 << 20

// logBuffer keeps the end of a log, in whole writes, and passes everything on.
type logBuffer struct {
	mu   sync.Mutex
	kept bytes.Buffer
	tee  io.Writer
}

// Write never fails: a log that cannot be passed on must not stop a server.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept.Len()+len(p) > maxLog {
		// Drop the older half, up to the end of a line.
		old := l.kept.Bytes()
		cut := len(old) / 2
		if i := bytes.IndexByte(old[cut:], '\n'); i >= 0 {
			cut += i + 1
		}
		rest := bytes.Clone(old[cut:])
		l.kept.Reset()
		l.kept.Write(rest)
	}
	l.kept.Write(p)
	if l.tee != nil {
		l.tee.Write(p)
	}
	return len(p), nil
}

// Bytes returns a copy of what is kept.
func (l *logBuffer) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.kept.Bytes())
}

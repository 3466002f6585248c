package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// Serve starts what the configuration says, prints the line of [Ready] on
// stdout and a word to the operator on notes, and runs it until ctx ends, which
// is no error. It is `mpin serve`, and what the processes of a deployment run:
// it has the process for itself and sets its garbage collector, unless GOGC
// does.
func Serve(ctx context.Context, c Config, stdout, notes io.Writer) error {
	if os.Getenv("GOGC") == "" {
		// A login leaves much garbage and little that lives: 33 MB with 100,000
		// users and 10,000 logins in flight, which may become three times that.
		debug.SetGCPercent(200)
	}
	// No warnings about what cannot be.
	filled := c.withDefaults()
	if err := filled.check(); err != nil {
		return err
	}
	for _, w := range c.Warnings() {
		fmt.Fprintf(notes, "mpin: warning: %s\n", w)
	}
	c.Log = notes
	d, err := Start(ctx, c)
	if err != nil {
		return err
	}
	line, err := json.Marshal(d.Ready())
	if err == nil {
		// In one write, so that no reader sees half of it.
		_, err = stdout.Write(append(line, '\n'))
	}
	if err == nil {
		if d.config.Role == RoleAll {
			fmt.Fprintf(notes, "mpin: open %s/ ; interrupt to stop\n", d.Ready().RPA)
		}
		err = d.Wait(ctx)
	}
	return errors.Join(err, d.Close())
}

// Command mpin compares pairing libraries under M-Pin, checks vectors, runs
// deployments under load and writes reports.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses.
const (
	exitOK          = 0
	exitFinding     = 1 // the command ran and found something, or failed
	exitMisuse      = 2 // wrong arguments
	exitInterrupted = 130
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with its surroundings as arguments.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first interrupt ends the work in good order; the second kills.
	context.AfterFunc(ctx, stop)

	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "mpin: %v\n", err)
	var s *statusError
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &s):
		return s.status
	default: // cobra's own errors are about arguments
		return exitMisuse
	}
}

// statusError is an error with the exit status it asks for.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// finding marks an error as the outcome of work rather than of arguments.
func finding(err error) error {
	if err == nil {
		return nil
	}
	return &statusError{exitFinding, err}
}

// misuse marks an error as the fault of the arguments.
func misuse(err error) error {
	if err == nil {
		return nil
	}
	return &statusError{exitMisuse, err}
}

package redistest_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"mpinlab/sim/store/redistest"
)

func TestKillAndRestart(t *testing.T) {
	s := redistest.Start(t)
	o, err := redis.ParseURL(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	ctx := context.Background()
	if err := c.Set(ctx, "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(){s.Kill, s.Stop} {
		end()
		if err := c.Ping(ctx).Err(); err == nil {
			t.Fatal("a server that has ended answers")
		}
		s.Restart()
		if got, err := c.Get(ctx, "key").Result(); got != "value" {
			t.Fatalf("after a restart: %q, %v", got, err)
		}
	}
	other := redistest.Start(t)
	if other.URL() == s.URL() {
		t.Fatal("two servers with one URL")
	}
}

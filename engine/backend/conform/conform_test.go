package conform

import (
	"testing"

	"tunebook/engine/backend/ref"
)

func TestRef(t *testing.T) { Run(t, ref.New()) }

package robustness

import (
	"testing"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/modeltest"
)

func TestCasesPassOnTheModel(t *testing.T) { modeltest.Passed(t, Cases(), check.Skip) }

//go:build race

package endtoend

// raced says that the tests look for data races.
const raced = true

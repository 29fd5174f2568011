// Package flock tells processes that share a folder apart: a file that one of them has
// locked is not locked by another until that process has ended.
package flock

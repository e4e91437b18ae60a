"""The scripted day that `siyu demo` plays."""

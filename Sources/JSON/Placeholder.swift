// The room is empty as yet.

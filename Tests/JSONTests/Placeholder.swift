// Tests of this target come with its code.

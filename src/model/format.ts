/** The version of the file format that this program writes. */
export const FORMAT = 1

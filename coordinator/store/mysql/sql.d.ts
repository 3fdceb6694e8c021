/** A file that is imported `with { type: 'text' }`; the bundler puts its text into the executable. */
declare module '*.sql' {
  const text: string;
  export default text;
}

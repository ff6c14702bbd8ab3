interface FilterFieldProps {
  readonly text: string;
  readonly placeholder: string;
  readonly onText: (text: string) => void;
}

/** The text filter in a toolbar. */
export function FilterField({ text, placeholder, onText }: FilterFieldProps) {
  return (
    <label class="search">
      <span>Filter</span>
      <input
        type="search"
        value={text}
        placeholder={placeholder}
        onInput={({ currentTarget }) => onText(currentTarget.value)}
      />
    </label>
  );
}

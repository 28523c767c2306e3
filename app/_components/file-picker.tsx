"use client";
/** A file input that looks like the other buttons; the input itself stays reachable for keyboard and readers. */
import type { ReactNode } from "react";

interface Props {
  children: ReactNode;
  className: string;
  testId: string;
  accept?: string;
  multiple?: boolean;
  /** A whole folder, with the paths of its files inside it. */
  folder?: boolean;
  disabled?: boolean;
  onFiles: (files: File[]) => void;
}

export function FilePicker({ children, className, testId, accept, multiple = false, folder = false, disabled = false, onFiles }: Props) {
  return (
    <label className={`file-picker ${className}`} data-disabled={disabled}>
      {children}
      <input
        type="file"
        data-testid={testId}
        {...(accept === undefined ? {} : { accept })}
        multiple={multiple}
        {...(folder ? { webkitdirectory: "" } : {})}
        disabled={disabled}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = ""; // the same file can be chosen again
          if (files.length > 0) onFiles(files);
        }}
      />
    </label>
  );
}

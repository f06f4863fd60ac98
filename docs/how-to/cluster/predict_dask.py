import dask.dataframe as dd
import onnxruntime
import pandas as pd


def predict(rows: pd.DataFrame) -> pd.DataFrame:
    session = onnxruntime.InferenceSession("flats.onnx")  # once for each part, and every worker has to see the file
    text = {column.name: "string" in column.type for column in session.get_inputs()}
    x = {name: rows[name].to_numpy(object) if text[name] else pd.to_numeric(rows[name]).to_numpy() for name in text}
    return rows.assign(prediction=session.run(None, {name: values[:, None] for name, values in x.items()})[0][:, 0])


if __name__ == "__main__":
    rows = dd.read_csv("flats.csv", dtype=str, keep_default_na=False)  # all columns as text
    rows.map_partitions(predict, meta=rows._meta.assign(prediction=0.0)).to_parquet("predictions")

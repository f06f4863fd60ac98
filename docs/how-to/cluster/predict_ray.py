import onnxruntime
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import ray


class Predict:
    def __init__(self) -> None:  # once for each worker, which has to see the file
        self.session = onnxruntime.InferenceSession("flats.onnx")
        self.text = {column.name: "string" in column.type for column in self.session.get_inputs()}

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        x = {n: (rows[n].fillna("") if text else pd.to_numeric(rows[n])).to_numpy() for n, text in self.text.items()}
        return rows.assign(prediction=self.session.run(None, {n: v[:, None] for n, v in x.items()})[0][:, 0])


names = pd.read_csv("flats.csv", nrows=0).columns
as_text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
rows = ray.data.read_csv("flats.csv", convert_options=as_text)
rows.map_batches(Predict, batch_format="pandas", concurrency=1).write_parquet("predictions")
